// npm run bench:service: the event loop beside a training step, and a served network against onnxruntime's session.run, in process and
// over HTTP. --quick for a rough look, --markdown FILE for the tables.
import '../../any-core.js';

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { capture, setNumThreads, type Tensor } from 'chainrule';
import { median } from '../../harness.js';
import { machine } from '../../machine.js';
import { lenetParts } from '../../work/lenet.js';
import { markdown, type Table, terminal, withSection } from '../table.js';
import type { Seen } from './callers.js';
import { askOverHttp, type HttpSeen } from './http.js';
import { lateness, percentile } from './late.js';
import { CALLERS, requests } from './model.js';
import { askInProcess } from './process.js';
import { eagerAnswers, type SideName } from './sides.js';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, markdown: { type: 'string' } },
});
const SIDES: readonly SideName[] = ['chainrule', 'onnxruntime'];
/** Requests of a round, rounds (all of them checked), and seconds over HTTP. */
const [COUNT, ROUNDS, SECONDS] = flags.quick ? [2_000, 2, 1] : [20_000, 10, 5];
const TRAINED_MS = flags.quick ? 1000 : 5000;
const inputs = requests(256);
const expected = eagerAnswers(inputs);
const ms = (value: number) => `${value.toFixed(2)} ms`;
const rate = (value: number) => value.toFixed(0);

/** Timers beside LeNet training steps: one after the other on the main thread, and in the background. */
async function eventLoop(): Promise<Table> {
  setNumThreads(1);
  const { step, x, y } = lenetParts(64);
  const captured = capture((a: Tensor, b: Tensor) => step(a, b));
  captured(x, y).dispose();
  const lines: string[][] = [];
  for (const how of ['step(x, y)', 'await step.async(x, y)'] as const) {
    const end = performance.now() + TRAINED_MS;
    const over = () => performance.now() > end;
    const times: number[] = [];
    const train = async () => {
      while (!over()) {
        const start = performance.now();
        const loss = how === 'step(x, y)' ? captured(x, y) : await captured.async(x, y);
        if (!Number.isFinite(loss.item())) throw new Error('the loss is wrong');
        loss.dispose();
        times.push(performance.now() - start);
        // A loop that never yields would let no timer run at all.
        if (how === 'step(x, y)') await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const [late] = await Promise.all([lateness(over), train()]);
    const p99 = percentile(late, 0.99);
    const goal = how === 'step(x, y)' ? '' : p99 < 3 ? 'met (under 3 ms)' : 'MISSED (under 3 ms)';
    lines.push([how, ms(median(times)), ms(percentile(late, 0.5)), ms(p99), goal]);
  }
  return [['LeNet, batch 64, one compute thread', 'a step', 'timer late, p50', 'p99', ''], ...lines];
}

async function inProcess(): Promise<Table> {
  const sides = ['chainrule', 'chainrule, tensors', 'onnxruntime'] as const;
  const seen = await askInProcess(sides, expected, ROUNDS, COUNT);
  const of = (name: SideName, key: keyof Seen) => median((seen.get(name) ?? []).map((s) => s[key]));
  const ratio = of('chainrule', 'perSecond') / of('onnxruntime', 'perSecond');
  const faster = of('chainrule', 'p99') < of('onnxruntime', 'p99');
  const lines = sides.map((name) => {
    const wrong = (seen.get(name) ?? []).reduce((sum, s) => sum + s.wrong, 0);
    const verdict =
      name === 'chainrule'
        ? `${ratio >= 3 && faster && wrong === 0 ? 'met' : 'MISSED'} (3 times the answers, p99 lower; got ${ratio.toFixed(2)})`
        : '';
    return [
      name,
      rate(of(name, 'perSecond')),
      ms(of(name, 'p50')),
      ms(of(name, 'p99')),
      `${wrong} of ${COUNT * ROUNDS}`,
      verdict,
    ];
  });
  return [[`784-128-10, ${CALLERS} callers in process`, 'answers/s', 'p50', 'p99', 'wrong', ''], ...lines];
}

async function overHttp(): Promise<Table> {
  const seen = new Map<SideName, HttpSeen[]>(SIDES.map((name) => [name, []]));
  for (let round = 0; round < (flags.quick ? 1 : 5); round++) {
    for (const name of SIDES) seen.get(name)?.push(await askOverHttp(name, inputs, expected, SECONDS));
  }
  const of = (name: SideName, key: keyof HttpSeen) => median((seen.get(name) ?? []).map((s) => s[key]));
  const better = of('chainrule', 'loopP99') < of('onnxruntime', 'loopP99');
  const lines = SIDES.map((name) => {
    const wrong = (seen.get(name) ?? []).reduce((sum, s) => sum + s.wrong, 0);
    const verdict = name === 'chainrule' ? `${better && wrong === 0 ? 'met' : 'MISSED'} (event loop p99 lower)` : '';
    const cells = [
      rate(of(name, 'perSecond')),
      ms(of(name, 'latencyP99')),
      ms(of(name, 'loopP50')),
      ms(of(name, 'loopP99')),
    ];
    return [name, ...cells, String(wrong), verdict];
  });
  return [
    [
      `784-128-10 over HTTP, ${CALLERS} connections`,
      'answers/s',
      'latency p99',
      'event loop late, p50',
      'p99',
      'wrong',
      '',
    ],
    ...lines,
  ];
}

console.log(machine());
const tables: Table[] = [];
for (const measure of [eventLoop, inProcess, overHttp]) {
  const table = await measure();
  tables.push(table);
  console.log(`\n${terminal(table)}`);
}
if (flags.markdown !== undefined) {
  const section = [
    `## Services\n\n\`npm run bench:service\` on ${machine()}; onnxruntime-node with one thread, as chainrule.`,
  ];
  const text = existsSync(flags.markdown) ? readFileSync(flags.markdown, 'utf8') : '# Performance\n';
  writeFileSync(flags.markdown, withSection(text, 'bench:service', [...section, ...tables.map(markdown)].join('\n\n')));
}
