// `chainrule demo`: the command line of the training demo.
import { Command, Option } from 'commander';
import { DEFAULTS } from './demo/settings.js';
import { DATASETS, type DatasetName, MODELS, type ModelName, OPTIMIZERS, type OptimizerName } from './names.js';
import { path, positiveNumber, wholeNumber } from './options.js';

interface Options {
  dataset?: DatasetName;
  data?: string;
  model?: ModelName;
  epochs?: number;
  batchSize?: number;
  lr?: number;
  optimizer?: OptimizerName;
  seed?: number;
  limit?: number;
  threads?: number;
  out: string;
  resume?: boolean;
  json?: boolean;
}

export type DemoOptions = Options;

const HELP = `
Models and what they reach on the test images:
  linear  784-10                     mnist about 92 %
  mlp     784-128-10                 mnist 97.8 % and more
  lenet   conv 20, conv 50, 800-500-10 (431,080 parameters)
                                     digits 98.5 % and more, mnist 99.0 % and more

Files written to the folder of --out:
  model.safetensors       the weights, for 'chainrule classify' and for PyTorch
  checkpoint.safetensors  weights, optimizer, random numbers and progress, for --resume
  loss.svg                losses and accuracy over the epochs (needs the package echarts)

Ctrl-C finishes the step at hand, saves, and says how to resume; a second Ctrl-C quits at once.
A checkpoint is also saved after every epoch. The same options and seed give the same numbers.

Examples:
  $ chainrule demo
  $ chainrule demo --dataset mnist --model mlp --epochs 5
  $ chainrule demo --resume --epochs 20`;

/** `linear 5, mlp 5, lenet 3` */
const perModel = (text: (defaults: (typeof DEFAULTS)[ModelName]) => string) =>
  MODELS.map((name) => `${name} ${text(DEFAULTS[name])}`).join('; ');

/** The command, for the program. */
export function demoCommand(): Command {
  return (
    new Command('demo')
      .description('Train a network on images of digits and report what it learned.')
      // No default values here: with --resume, what is not given comes from the checkpoint.
      .addOption(
        new Option('--dataset <name>', 'digits: drawn on the spot; mnist: the real ones (default: digits)').choices(
          DATASETS,
        ),
      )
      .option('--data <dir>', 'folder with the MNIST files (default: $CHAINRULE_DATA/mnist, else downloaded)', path)
      .addOption(new Option('--model <name>', 'the network (default: lenet)').choices(MODELS))
      .option(
        '--epochs <n>',
        `times each training image is seen (default: ${perModel((d) => `${d.epochs.digits}, mnist ${d.epochs.mnist}`)})`,
        wholeNumber(1, 100_000),
      )
      .option('--batch-size <n>', 'images a step (default: 64)', wholeNumber(1, 60_000))
      .option(
        '--lr <x>',
        `learning rate at the start; it falls to 0 along a cosine (default: ${perModel((d) => String(d.lr.sgd))}; adam ${DEFAULTS.lenet.lr.adam})`,
        positiveNumber,
      )
      .addOption(new Option('--optimizer <name>', 'sgd, with momentum 0.9, or adam (default: sgd)').choices(OPTIMIZERS))
      .option('--seed <n>', 'where weights and the order of images start (default: 0)', wholeNumber(0, 2 ** 32 - 1))
      .option('--limit <n>', 'use only the first n training images (default: all)', wholeNumber(1))
      .option('--threads <n>', 'threads to compute with (default: the processors granted)', wholeNumber(1, 1024))
      .option('--out <dir>', 'folder for checkpoint and plot', path, 'out')
      .option('--resume', 'go on with the run saved in --out; only --epochs, --lr, --threads and --data may differ')
      .option('--json', 'print one JSON object a line, and nothing else on standard output')
      .addHelpText('after', HELP)
      .action(async (options: Options, command: Command) => {
        // With --resume the data set stands in the checkpoint.
        if (options.data !== undefined && options.dataset !== 'mnist' && !options.resume) {
          command.error('error: option --data goes with --dataset mnist only');
        }
        const { demo } = await import('./demo/run.js');
        process.exitCode = await demo(options);
      })
  );
}
