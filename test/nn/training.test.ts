// Whole training runs against PyTorch's: every loss, the final state, the outputs.
import { testFamily } from '../conformance/family.js';

testFamily('training', [
  'training/linear_regression',
  'training/mlp_quadratic',
  'training/mlp_classifier',
  'training/lenet',
  'training/transformer_encoder_classifier',
  'training/batchnorm_conv',
  'training/autoencoder',
]);
