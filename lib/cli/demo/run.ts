// One run of the demo from the command line's options to the last report.
import { TensorError } from '../../errors.js';
import { manualSeed, numThreads, setNumThreads } from '../../index.js';
import { writeAtomically } from '../../io/atomic.js';
import { accuracyOf, formatConfusion } from '../../train/confusion.js';
import type { EpochRecord, FitHistory } from '../../train/events.js';
import { lossPlot } from '../../viz/plot.js';
import { loadDataset } from '../datasets.js';
import type { DemoOptions } from '../demo.js';
import { buildModel, MODEL_TEXT } from '../models.js';
import { invocation, quoted } from '../options.js';
import { STOP_CODES, Stop } from '../stop.js';
import { Pace } from './pace.js';
import { formatCount, formatPercent, formatSeconds, Reporter } from './report.js';
import { newSettings, resumedSettings } from './settings.js';
import { checkpointPath, loadSaved, modelPath, plotPath, prepareFolder, saveModel } from './state.js';
import { makeOptimizer, type Run, stepsPerEpoch, training } from './train.js';

/** Runs the demo; returns the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const reporter = new Reporter(options.json === true);
  const stop = new Stop(
    (reason) => {
      if (reason === 'SIGINT') reporter.note('Stopping after this step; Ctrl-C again quits at once.');
    },
    () => reporter.close(),
  );
  try {
    await train(options, reporter, stop);
    return stop.reason === null ? 0 : STOP_CODES[stop.reason];
  } catch (error) {
    // A download that the user has cancelled is no failure, and nothing has been trained yet.
    if (stop.reason !== null && error instanceof TensorError && error.code === 'aborted')
      return STOP_CODES[stop.reason];
    throw error;
  } finally {
    reporter.close();
    stop.end();
  }
}

/** Loads what a run needs; the state of one that goes on is read by fit(). */
async function prepare(options: DemoOptions, reporter: Reporter, stop: Stop): Promise<Run> {
  await prepareFolder(options.out);
  const saved = options.resume ? await loadSaved(options.out) : null;
  const settings = saved === null ? newSettings(options) : resumedSettings(saved.settings, options);
  if (options.threads !== undefined) setNumThreads(options.threads);
  const load = (split: 'train' | 'test') =>
    loadDataset(settings.dataset, split, {
      root: options.data,
      limit: split === 'train' ? settings.limit : null,
      signal: stop.signal,
      onProgress: ({ file, received, total }) => reporter.download(file, received, total),
    });
  const [train, test] = [await load('train'), await load('test')];
  manualSeed(settings.seed);
  const model = buildModel(settings.model);
  return {
    settings,
    model,
    optimizer: makeOptimizer(settings, model),
    train,
    test,
    confusion: saved?.confusion ?? null,
  };
}

/** Trains, and tells of every event what there is to tell. */
async function train(options: DemoOptions, reporter: Reporter, stop: Stop): Promise<void> {
  const run = await prepare(options, reporter, stop);
  const { out, resume = false } = options;
  const started = performance.now();
  const pace = new Pace(run);
  const events = training(run, { path: checkpointPath(out), resume }, stop.signal);
  let epoch: EpochRecord | null = null;
  try {
    for await (const event of events) {
      if (event.type === 'start') tellStart(run, out, event.step, reporter);
      if (event.type === 'start' || event.type === 'epochStart') pace.begin();
      if (event.type === 'step') reporter.progress(pace.step(event));
      if (event.type === 'epochEnd') epoch = event;
      if (event.type !== 'checkpoint') continue;
      await saveModel(out, run);
      if (epoch !== null) tellEpoch(run, epoch, pace, reporter);
      epoch = null;
    }
  } catch (error) {
    if (!(error instanceof TensorError) || error.code !== 'nan') throw error;
    const message = `expected numbers to stay finite with --lr ${run.settings.lr}, got others; try a smaller one`;
    throw new TensorError('nan', 'demo', `${message}: ${error.message}`, { cause: error });
  }
  const history = await events;
  if (history.reason === 'aborted') tellStopped(history, options, reporter, stop);
  else await finish(run, history, (performance.now() - started) / 1000, out, reporter);
}

function tellStart(run: Run, out: string, resumedAt: number, reporter: Reporter): void {
  const { settings, train, test } = run;
  const { model, dataset, epochs, batchSize, optimizer, lr, seed } = settings;
  const parameters = run.model.parameters().reduce((sum, p) => sum + p.size, 0);
  const threads = numThreads();
  const [trainImages, testImages] = [train.length, test.length];
  const lines = [
    `${model} (${MODEL_TEXT[model]}), ${formatCount(parameters)} parameters`,
    `${dataset}: ${formatCount(trainImages)} images to train on, ${formatCount(testImages)} to test on`,
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, batches of ${batchSize}, ${optimizer}, learning rate ${lr}, seed ${seed}, ${threads} threads`,
  ];
  if (resumedAt > 0) lines.push(`resumed after ${formatCount(resumedAt)} steps`);
  const counts = { parameters, dataset, trainImages, testImages, epochs, batchSize, optimizer, lr, seed, threads };
  reporter.event({ event: 'start', model, ...counts, out, resumedAt }, lines.join('\n'));
}

function tellEpoch({ settings }: Run, record: EpochRecord, pace: Pace, reporter: Reporter): void {
  const { epochs } = settings;
  const { loss, validationLoss, metrics } = record;
  const [testLoss, testAccuracy] = [validationLoss ?? Number.NaN, metrics.accuracy];
  const { imagesPerSecond, seconds } = pace.epoch();
  const epoch = record.epoch + 1;
  reporter.event(
    {
      event: 'epoch',
      epoch,
      epochs,
      loss,
      testLoss,
      testAccuracy,
      imagesPerSecond: Math.round(imagesPerSecond),
      seconds: Number(seconds.toFixed(3)),
    },
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  loss ${loss.toFixed(4)}  ` +
      `test loss ${testLoss.toFixed(4)}  test accuracy ${formatPercent(testAccuracy)}  ` +
      `${formatCount(imagesPerSecond)} images/s  ${formatSeconds(seconds)}`,
  );
}

/** The last report: accuracy, confusion table, files. */
async function finish(run: Run, history: FitHistory, seconds: number, out: string, reporter: Reporter): Promise<void> {
  const confusion = run.confusion ?? [];
  const testAccuracy = accuracyOf(confusion);
  const testLoss = history.epochs.at(-1)?.validationLoss ?? Number.NaN;
  const plot = await savePlot(run, history, out, reporter);
  const checkpoint = modelPath(out);
  const again = `${invocation('classify')} --model ${quoted(checkpoint)}`;
  reporter.event(
    {
      event: 'end',
      testAccuracy,
      testLoss,
      confusion,
      seconds: Number(seconds.toFixed(3)),
      checkpoint,
      plot,
    },
    [
      '',
      formatConfusion(confusion),
      '',
      `test accuracy ${formatPercent(testAccuracy)} of ${formatCount(run.test.length)} images, after ${formatSeconds(seconds)}`,
      `saved ${checkpoint}${plot === null ? '' : ` and ${plot}`}`,
      `try   ${again} --dataset ${run.settings.dataset} --index 0..2`,
    ].join('\n'),
  );
}

/** Draws the course of the run; a demo without the package that draws goes on without. */
async function savePlot(run: Run, history: FitHistory, folder: string, reporter: Reporter): Promise<string | null> {
  const { settings } = run;
  const path = plotPath(folder);
  try {
    const svg = await lossPlot(
      {
        losses: history.losses,
        stepsPerEpoch: stepsPerEpoch(run),
        tests: history.epochs.map(({ epoch, validationLoss, metrics }) => ({
          epoch: epoch + 1,
          loss: validationLoss ?? Number.NaN,
          accuracy: metrics.accuracy,
        })),
      },
      {
        title: `${settings.model} on ${settings.dataset}`,
        subtitle: `${formatCount(run.train.length)} training images, batches of ${settings.batchSize}, ${settings.optimizer}, learning rate ${settings.lr}, seed ${settings.seed}`,
      },
    );
    await writeAtomically(path, (file) => file.writeFile(svg));
    return path;
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    reporter.note(`No plot: ${error.message}`);
    return null;
  }
}

function tellStopped({ losses, epochs }: FitHistory, options: DemoOptions, reporter: Reporter, stop: Stop): void {
  const resume = `${invocation('demo')} --resume --out ${quoted(options.out)}`;
  const checkpoint = checkpointPath(options.out);
  const [epoch, step] = [epochs.length + 1, losses.length];
  const reason = stop.reason ?? 'unknown';
  const testAccuracy = epochs.at(-1)?.metrics.accuracy ?? null;
  reporter.event(
    { event: 'stopped', reason, epoch, step, checkpoint, resume, testAccuracy },
    `Stopped in epoch ${epoch} after step ${step}; saved ${checkpoint}.\nGo on with:  ${resume}`,
  );
}
