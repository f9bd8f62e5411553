// The three models of the demo, from one layer to LeNet.
import { nn } from '../index.js';
import type { ModelName } from './names.js';

/** Classes that every model tells apart. */
export const CLASSES = 10;

/** The layers of each, for titles. */
export const MODEL_TEXT: Readonly<Record<ModelName, string>> = {
  linear: '784-10',
  mlp: '784-128-10',
  lenet: 'conv 20, conv 50, linear 500',
};

/**
 * Makes a model for images [N, 1, 28, 28], its weights drawn from the default generator.
 *
 * LeNet is the one of Caffe's MNIST example: 431,080 parameters.
 */
export function buildModel(name: ModelName): nn.Module {
  switch (name) {
    case 'linear':
      return new nn.Sequential(new nn.Flatten(), new nn.Linear(784, CLASSES));
    case 'mlp':
      return new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, CLASSES));
    case 'lenet':
      return new nn.Sequential(
        new nn.Conv2d(1, 20, 5), // [N, 20, 24, 24]
        new nn.ReLU(),
        new nn.MaxPool2d(2), // [N, 20, 12, 12]
        new nn.Conv2d(20, 50, 5), // [N, 50, 8, 8]
        new nn.ReLU(),
        new nn.MaxPool2d(2), // [N, 50, 4, 4]
        new nn.Flatten(),
        new nn.Linear(800, 500),
        new nn.ReLU(),
        new nn.Linear(500, CLASSES),
      );
  }
}
