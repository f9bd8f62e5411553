// Whole training runs against PyTorch's: every loss, the final state, the outputs.
import { testFamily } from '../conformance/family.js';

testFamily('training');
