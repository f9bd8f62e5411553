// What the writers of lesson 17 share: a text as numbers, the loss on windows of it, the steps of training and the test.
import { readFileSync } from 'node:fs';
import { arange, crossEntropy, data, nn, noGrad, type optim, randint, type Tensor } from 'chainrule';

/** A text, its letters as numbers; the last tenth is held out for the test. */
export class Book {
  readonly letters: data.CharTokenizer;
  readonly tokens: Tensor;
  readonly held: number;

  constructor(readonly text: string) {
    this.letters = data.CharTokenizer.from(text);
    this.tokens = this.letters.encode(text);
    this.held = Math.floor(this.tokens.size * 0.9);
  }

  static read = (file: string | undefined) => new Book(file === undefined ? sums(20_000) : readFileSync(file, 'utf8'));

  /** How the writers begin. */
  get firstLine(): string {
    return this.text.slice(0, this.text.indexOf('\n') + 1 || 40);
  }

  /** Windows that begin at random places, and the same moved on by one letter: int32 [count, length] each. */
  windows(from: number, to: number, count: number, length: number): [x: Tensor, y: Tensor] {
    const starts = randint(from, to - length - 1, [count, 1]);
    const found = this.tokens.take(starts.add(arange(length + 1, { dtype: 'int32' })));
    return [found.narrow(1, 0, length), found.narrow(1, 1, length)];
  }
}

/** Sums in words, when no book is given: hard to guess are the two summands alone. */
function sums(count: number): string {
  const names = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen'.split(' ');
  const pairs = randint(0, 8, [count, 2]).toArray() as [number, number][];
  return pairs.map(([a, b]) => `${names[a]} and ${names[b]} make ${names[a + b]}.\n`).join('');
}

interface Course {
  model: nn.AnyModule;
  /** What the model says comes next: x [n, t] -> [n, t, letters]. */
  guess: (x: Tensor) => Tensor;
  optimizer: optim.Optimizer;
  schedule: { step(): void };
  steps: number;
  /** Windows a step, and letters in each. */
  batch: number;
  window: number;
}

/** Trains a model to guess the next letter, and says what it comes to on the held-out text. */
export function learnToWrite(book: Book, course: Course): void {
  const { model, guess, optimizer, schedule, steps, batch, window } = course;
  const { tokens, letters, held } = book;
  const parameters = model.parameters();
  const numbers = parameters.reduce((sum, p) => sum + p.size, 0);
  console.log(`${tokens.size} characters, ${letters.size} different; ${numbers} parameters`);

  const lossBetween = (from: number, to: number, count: number) => {
    const [x, y] = book.windows(from, to, count, window);
    return crossEntropy(guess(x).flatten(0, 1), y.flatten());
  };
  for (let step = 1; step <= steps; step++) {
    const loss = lossBetween(0, held, batch);
    optimizer.zeroGrad();
    loss.backward();
    nn.utils.clipGradNorm(parameters, 1);
    optimizer.step();
    schedule.step();
    if (step % Math.ceil(steps / 10) === 0) console.log(`step ${step}  loss ${loss.item().toFixed(3)}`);
  }
  const test = noGrad(() => Array.from({ length: 10 }, () => lossBetween(held, tokens.size, 100).item()));
  console.log(`held-out text: ${(test.reduce((a, b) => a + b) / 10).toFixed(3)} nats per character`);
}
