// One run of the demo from the command line's options to the last report.

import { defaultGenerator } from '../../core/random.js';
import { TensorError } from '../../errors.js';
import { manualSeed, numThreads, setNumThreads } from '../../index.js';
import { writeAtomically } from '../../io/atomic.js';
import { accuracyOf, confusionTable, formatConfusion } from '../../train/confusion.js';
import { lossPlot } from '../../viz/plot.js';
import { loadDataset } from '../datasets.js';
import type { DemoOptions } from '../demo.js';
import { buildModel, CLASSES, MODEL_TEXT } from '../models.js';
import { invocation, quoted } from '../options.js';
import { STOP_CODES, Stop } from '../stop.js';
import { formatCount, formatPercent, formatSeconds, Reporter } from './report.js';
import { newSettings, resumedSettings } from './settings.js';
import { checkpointPath, loadState, modelPath, plotPath, prepareFolder, saveState } from './state.js';
import { evaluate, makeOptimizer, type Run, stepsPerEpoch, trainEpoch, type Verdict } from './train.js';

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

/** Loads what a run needs, puts it where a saved one left off, and reports the start. */
async function begin(options: DemoOptions, reporter: Reporter, stop: Stop): Promise<Run> {
  await prepareFolder(options.out);
  const saved = options.resume ? await loadState(options.out) : null;
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
  const optimizer = makeOptimizer(settings, model);
  const progress = saved?.progress ?? { epoch: 0, batch: 0, losses: [], tests: [] };
  if (saved !== null) {
    model.loadStateDict(saved.model);
    optimizer.loadStateDict(saved.optimizer);
    defaultGenerator.setState(saved.generator);
  }
  const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const { model: name, dataset, epochs, batchSize, lr, seed } = settings;
  const resumedAt = progress.losses.length;
  reporter.event(
    {
      event: 'start',
      model: name,
      parameters,
      dataset,
      trainImages: train.length,
      testImages: test.length,
      epochs,
      batchSize,
      optimizer: settings.optimizer,
      lr,
      seed,
      threads: numThreads(),
      out: options.out,
      resumedAt,
    },
    [
      `${name} (${MODEL_TEXT[name]}), ${formatCount(parameters)} parameters`,
      `${dataset}: ${formatCount(train.length)} images to train on, ${formatCount(test.length)} to test on`,
      `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, batches of ${batchSize}, ${settings.optimizer}, learning rate ${lr}, seed ${seed}, ${numThreads()} threads`,
      ...(saved === null ? [] : [`resumed after ${formatCount(resumedAt)} steps`]),
    ].join('\n'),
  );
  return { settings, model, optimizer, train, test, progress };
}

async function train(options: DemoOptions, reporter: Reporter, stop: Stop): Promise<void> {
  const run = await begin(options, reporter, stop);
  const { settings, model, test, progress } = run;
  const stopped = () => stop.reason !== null;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const total = settings.epochs * run.train.length;
  const earlier = progress.epoch * run.train.length + progress.batch * settings.batchSize;
  let images = 0;
  let training = 0; // Seconds of steps, without tests and checkpoints.
  let verdict: Verdict | null = null;

  while (progress.epoch < settings.epochs) {
    const [epochStarted, imagesBefore, trainingBefore] = [performance.now(), images, training];
    const complete = await trainEpoch(
      run,
      (count) => {
        images += count;
        training = trainingBefore + (performance.now() - epochStarted) / 1000;
        reporter.progress({
          epoch: progress.epoch + 1,
          epochs: settings.epochs,
          images: earlier + images,
          total,
          loss: recentLoss(progress.losses),
          imagesPerSecond: images / training,
        });
      },
      stopped,
    );
    verdict = complete ? await evaluate(model, test, stopped) : null;
    if (verdict === null) return saveAndTell(run, options, reporter, stop);

    const accuracy = accuracyOf(confusionTable(verdict.labels, verdict.predicted, CLASSES));
    progress.tests.push({ loss: verdict.loss, accuracy });
    progress.epoch++;
    progress.batch = 0;
    await saveState(options.out, run);
    const loss = mean(progress.losses.slice(-stepsPerEpoch(run)));
    const took = (performance.now() - epochStarted) / 1000;
    const imagesPerSecond = (images - imagesBefore) / Math.max(training - trainingBefore, 1e-9);
    reporter.event(
      {
        event: 'epoch',
        epoch: progress.epoch,
        epochs: settings.epochs,
        loss,
        testLoss: verdict.loss,
        testAccuracy: accuracy,
        imagesPerSecond: Math.round(imagesPerSecond),
        seconds: Number(took.toFixed(3)),
      },
      `epoch ${String(progress.epoch).padStart(String(settings.epochs).length)}/${settings.epochs}  loss ${loss.toFixed(4)}  ` +
        `test loss ${verdict.loss.toFixed(4)}  test accuracy ${formatPercent(accuracy)}  ` +
        `${formatCount(imagesPerSecond)} images/s  ${formatSeconds(took)}`,
    );
  }
  // A run that was complete already has not been tested here.
  verdict ??= await evaluate(model, test, stopped);
  if (verdict === null) return saveAndTell(run, options, reporter, stop);
  await finish(run, verdict, seconds(), options, reporter);
}

/** The last report: accuracy, confusion table, files. */
async function finish(
  run: Run,
  verdict: Verdict,
  seconds: number,
  options: DemoOptions,
  reporter: Reporter,
): Promise<void> {
  const confusion = confusionTable(verdict.labels, verdict.predicted, CLASSES);
  const testAccuracy = accuracyOf(confusion);
  const plot = await savePlot(run, options.out, reporter);
  const checkpoint = modelPath(options.out);
  const again = `${invocation('classify').replace(/^npm run.*/, 'chainrule classify')} --model ${quoted(checkpoint)}`;
  reporter.event(
    {
      event: 'end',
      testAccuracy,
      testLoss: verdict.loss,
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
async function savePlot(
  { settings, progress, ...run }: Run,
  folder: string,
  reporter: Reporter,
): Promise<string | null> {
  const path = plotPath(folder);
  try {
    const svg = await lossPlot(
      {
        losses: progress.losses,
        stepsPerEpoch: Math.ceil(run.train.length / settings.batchSize),
        tests: progress.tests.map((test, i) => ({ epoch: i + 1, ...test })),
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

async function saveAndTell(run: Run, options: DemoOptions, reporter: Reporter, stop: Stop): Promise<void> {
  const { progress } = run;
  await saveState(options.out, run);
  const resume = `${invocation('demo')} --resume --out ${quoted(options.out)}`;
  const checkpoint = checkpointPath(options.out);
  const text = `Stopped in epoch ${progress.epoch + 1} after step ${progress.losses.length}; saved ${checkpoint}.\nGo on with:  ${resume}`;
  reporter.event(
    {
      event: 'stopped',
      reason: stop.reason ?? 'unknown',
      epoch: progress.epoch + 1,
      step: progress.losses.length,
      checkpoint,
      resume,
      testAccuracy: progress.tests.at(-1)?.accuracy ?? null,
    },
    text,
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The loss as a person wants to see it move: a mean of the last steps. */
const recentLoss = (losses: readonly number[]) => mean(losses.slice(-20));
