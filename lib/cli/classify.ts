// `chainrule classify`: what a saved model sees in images.
import { Command, Option } from 'commander';
import { DATASETS, type DatasetName } from './names.js';
import { path, places } from './options.js';

interface Options {
  model: string;
  dataset?: DatasetName;
  data?: string;
  index?: number[];
  invert?: boolean;
  json?: boolean;
}

const HELP = `
An image is PGM, PNG, or an IDX file of many; JPEG, WebP and others are read where the package sharp is installed.
28 x 28 pixels are taken as they are; other sizes are cut to the ink, scaled to 20 x 20 and centred, as MNIST was made.

Examples:
  $ chainrule classify seven.png
  $ chainrule classify --dataset digits --index 0..9
  $ chainrule classify --model out/model.safetensors --index 0,5 t10k-images-idx3-ubyte.gz`;

/** The command, for the program. */
export function classifyCommand(): Command {
  return new Command('classify')
    .description('Classify images of digits with a model that `chainrule demo` has saved.')
    .argument('[image...]', 'files to classify')
    .option('--model <file>', 'the model, as saved by the demo', path, 'out/model.safetensors')
    .addOption(new Option('--dataset <name>', 'classify test images of this data set').choices(DATASETS))
    .option('--data <dir>', 'folder with the MNIST files (default: $CHAINRULE_DATA/mnist, else downloaded)', path)
    .option(
      '--index <places>',
      "which images of the data set or of an IDX file, like '7' or '0..9,20' (default: 0..9 of a data set, all of a file)",
      places,
    )
    .option('--invert', 'ink is dark on light ground (default: told by the border)')
    .option('--no-invert', 'ink is light on dark ground')
    .option('--json', 'print one JSON object an image, and nothing else')
    .addHelpText('after', HELP)
    .action(async (images: string[], options: Options, command: Command) => {
      if (images.length === 0 && options.dataset === undefined)
        command.error('error: expected images to classify, or --dataset with --index');
      if (images.length > 0 && options.dataset !== undefined)
        command.error('error: expected either images or --dataset, got both');
      if (options.data !== undefined && options.dataset !== 'mnist')
        command.error('error: option --data goes with --dataset mnist only');
      const { classify } = await import('./classify/run.js');
      await classify(images, options);
    });
}

export type ClassifyOptions = Options;
