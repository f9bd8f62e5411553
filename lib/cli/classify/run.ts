// Classifying images: reads the model and the images, prints what the one sees in the other.
import { TensorError } from '../../errors.js';
import { data, io, noGrad, scope } from '../../index.js';
import type { ClassifyOptions } from '../classify.js';
import { datasetOf, loadDataset } from '../datasets.js';
import { buildModel, CLASSES } from '../models.js';
import { type DatasetName, MODELS } from '../names.js';
import { asciiPreview, fitImage, SIDE } from './fit.js';
import { readImages } from './image.js';

/** Images at once. */
const BATCH = 250;
/** Characters of the bar of a class that is certain. */
const BAR = 24;
const DEFAULT_PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

interface Input {
  name: string;
  /** 28 x 28 bytes, ink as 255 on 0. */
  pixels: Uint8Array;
  /** What it shows, where that is known. */
  label?: number;
}

/** Classifies images and prints the results. */
export async function classify(files: readonly string[], options: ClassifyOptions): Promise<void> {
  const model = await loadModel(options.model);
  const inputs =
    options.dataset === undefined ? await fromFiles(files, options) : await fromDataset(options.dataset, options);
  // One batch after another, so that the first results of many images come soon.
  const loader = new data.DataLoader(datasetOf(inputs.map(({ pixels }) => pixels)), { batchSize: BATCH });
  let next = 0;
  for (const [x] of loader) {
    const flat = scope(() => noGrad(() => model.forward(x).softmax(1).data));
    for (let at = 0; at < flat.length; at += CLASSES, next++) {
      const probabilities = Array.from(flat.subarray(at, at + CLASSES));
      const input = inputs[next];
      process.stdout.write(
        options.json ? `${JSON.stringify(jsonOf(input, probabilities))}\n` : textOf(input, probabilities),
      );
    }
  }
}

async function loadModel(path: string) {
  const { tensors, metadata } = await io.loadSafetensors(path);
  const name = MODELS.find((known) => known === metadata['chainrule.model']);
  if (name === undefined) {
    throw new TensorError(
      'format',
      'classify',
      `expected '${path}' to be the model.safetensors of a demo run, got a file that names none of its models`,
    );
  }
  const model = buildModel(name);
  model.loadStateDict(tensors);
  model.eval();
  return model;
}

async function fromFiles(files: readonly string[], options: ClassifyOptions): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const file of files) {
    for (const image of await readImages(file, options.index))
      inputs.push({ name: image.name, pixels: fitImage(image, options.invert) });
  }
  return inputs;
}

async function fromDataset(name: DatasetName, options: ClassifyOptions): Promise<Input[]> {
  const { images, labels, length } = await loadDataset(name, 'test', { root: options.data });
  const [pixels, truth] = [images.data as Uint8Array, labels.data];
  return (options.index ?? DEFAULT_PLACES).map((i) => {
    if (i >= length)
      throw new TensorError('index', 'classify', `expected --index from 0 to ${length - 1} for ${name}, got ${i}`);
    return {
      name: `${name} test image ${i}`,
      pixels: pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE),
      label: truth[i],
    };
  });
}

const best = (probabilities: readonly number[]) => probabilities.indexOf(Math.max(...probabilities));

function jsonOf({ name, label }: Input, probabilities: readonly number[]) {
  const found = best(probabilities);
  return { image: name, class: found, probability: probabilities[found], label, probabilities };
}

/** The image on the left, the probabilities on the right. */
function textOf({ name, pixels, label }: Input, probabilities: readonly number[]): string {
  const found = best(probabilities);
  const percent = (p: number) => `${(100 * p).toFixed(1)} %`;
  const truth = label === undefined ? '' : label === found ? ', right' : `, wrong: it is ${label}`;
  const right = probabilities.map((p, i) => {
    const bar = '#'.repeat(Math.round(p * BAR)).padEnd(BAR);
    return `${i === found ? '>' : ' '} ${i}  ${bar} ${percent(p).padStart(7)}`;
  });
  const lines = asciiPreview(pixels).map((line, i) => `  |${line}|  ${right[i - 2] ?? ''}`.trimEnd());
  return `${name}: ${found} (${percent(probabilities[found])}${truth})\n${lines.join('\n')}\n\n`;
}
