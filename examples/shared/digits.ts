// Images of digits for the lessons that read them: drawn ones, or MNIST's where the command line asks for them.
import { data, type nn, noGrad, type Tensor } from 'chainrule';

/** The options of the command line that {@link readDigits} takes. */
export const DIGIT_OPTIONS = {
  dataset: { type: 'string', default: 'digits' },
  data: { type: 'string' },
} as const;

/** Images and labels; `from.data` is the folder with MNIST's files, which are downloaded without it. */
export async function readDigits(
  split: 'train' | 'test',
  from: { dataset: string; data?: string },
  pixels: data.NormalizeOptions,
): Promise<data.ImageDataset> {
  if (from.dataset === 'digits') return data.digits({ split, ...pixels });
  if (from.dataset === 'mnist') return data.mnist({ split, root: from.data, ...pixels });
  throw new Error(`expected --dataset digits or mnist, got ${from.dataset}`);
}

/** How often a network gives each of the ten answers, and what share of them is right. */
export function examine(
  model: nn.Module<[Tensor], Tensor>,
  test: data.ImageDataset,
): { right: number; answers: number[] } {
  const answers = new Array<number>(10).fill(0);
  let right = 0;
  for (const [x, y] of new data.DataLoader(test, { batchSize: 500 })) {
    const said = noGrad(() => model.forward(x).argmax(1));
    right += said.eq(y).sum().item();
    for (const digit of said.data) answers[digit]++;
  }
  return { right: right / test.length, answers };
}
