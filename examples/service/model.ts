// The model behind the service: what `chainrule demo` left in model.safetensors, or the same network untrained.
import { io, nn } from 'chainrule';

/** Rows and columns of an image. */
export const SIDE = 28;
export const CLASSES = 10;

const BUILD: Record<string, () => nn.Module> = {
  linear: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, CLASSES)),
  mlp: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, CLASSES)),
  lenet: () =>
    new nn.Sequential(
      new nn.Conv2d(1, 20, 5),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(20, 50, 5),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(800, 500),
      new nn.ReLU(),
      new nn.Linear(500, CLASSES),
    ),
};

/** Reads a checkpoint of the demo; its metadata names the network. */
export async function loadModel(path: string): Promise<nn.Module> {
  const { tensors, metadata } = await io.loadSafetensors(path);
  const build = BUILD[metadata['chainrule.model'] ?? ''];
  if (build === undefined) throw new Error(`expected '${path}' to be the model.safetensors of a demo run`);
  const model = build();
  model.loadStateDict(tensors);
  model.eval();
  return model;
}
