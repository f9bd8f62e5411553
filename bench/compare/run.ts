// npm run bench:compare [-- WORD...]: the work whose name contains one of the words, or all, against the same in other libraries,
// a process for each, in turn. --quick for a rough look, --json FILE for the rows, --markdown FILE for the tables, --keep FILE for the rows of an
// earlier run (--json) that this one does not measure again.
import '../any-core.js';

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from '../harness.js';
import { machine } from '../machine.js';
import { works } from '../work/index.js';
import type { Work } from '../work/work.js';
import { OURS, PEERS, Peer, PYTORCH } from './peer.js';
import type { Digest } from './serve.js';
import * as tables from './table.js';

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
    peers: { type: 'string' },
    keep: { type: 'string' },
  },
});
/** Milliseconds each side gets in a round, rounds, and milliseconds before the first: compilers and pools are warm then. */
const [SLICE, ROUNDS, WARM_UP] = flags.quick ? [40, 3, 40] : [100, 5, 250];
/** Milliseconds between two sides: idle threads of OpenBLAS spin for 2^26 cycles (its THREAD_TIMEOUT), some 20 ms. */
const REST = 60;
/** A repetition is at least this long, so that clocks and collections do not count. */
const SHORTEST = 0.5;
/** Relative difference of results above which a side is computing something else. */
const TOLERANCE = 1e-3;

const includes = (word: string) => (text: string) => text.toLowerCase().includes(word.toLowerCase());
const chosen = works.filter(({ name }) => words.length === 0 || words.some((word) => includes(word)(name)));
const asked = flags.peers?.split(',');
const programs = PEERS.filter(
  ({ name }) => asked === undefined || asked.some((word) => name.toLowerCase().startsWith(word.toLowerCase())),
);
if (chosen.length === 0 || programs.length === 0) {
  console.error(`nothing is named so; work: ${works.map(({ name }) => name).join('; ')}`);
  console.error(`peers: ${PEERS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const rows: tables.Row[] = [];
/** Why what was not compared was not, by side. */
const notes = new Map<string, string[]>();
const versions = new Map<string, string>();
const goals = new Map(works.flatMap(({ name, goal }) => (goal === undefined ? [] : [[name, goal]])));
const started = performance.now();

function note(peer: string, why: string, work?: Work): void {
  const key = `${peer}: ${why}`;
  notes.set(key, [...(notes.get(key) ?? []), ...(work === undefined ? [] : [work.name])]);
}

/** Whether results are the same but for rounding, as far as both sides went: means within a share of the mean size. */
function same(ours: readonly Digest[], theirs: readonly Digest[]): boolean {
  return theirs.every((b, i) => {
    const a = ours[i] ?? b;
    const room = TOLERANCE * Math.max(a[1], b[1]) + 1e-7;
    return Math.abs(a[0] - b[0]) <= room && Math.abs(a[1] - b[1]) <= room;
  });
}

/** Prepares a piece of work on every side that can do it, then times them in turn. */
async function compare(work: Work, threads: number, ours: Peer, peers: Peer[]): Promise<void> {
  const made = await ours.prepare(work.family, work.options);
  if ('absent' in made) throw new Error(`${work.name}: ${made.absent}`);
  const sides = [ours];
  const long = new Map<Peer, number[]>();
  for (const [i, { program, alive }] of peers.entries()) {
    const { name, families } = program;
    if (families !== undefined && !families.includes(work.family)) continue;
    if (!alive) peers[i] = (await Peer.start(program, threads)) ?? peers[i];
    const peer = peers[i];
    const theirs = await peer.prepare(work.family, work.options);
    if ('absent' in theirs) note(name, theirs.absent, work);
    else if (!same(made.digests, theirs.digests)) {
      const [a, b] = [made, theirs].map(({ digests }) => digests.join(' then '));
      throw new Error(`${work.name}: chainrule gives ${a}, ${name} ${b} (mean, mean size)`);
    } else if (theirs.long !== undefined) long.set(peer, [theirs.long]);
    else sides.push(peer);
  }
  const spent = new Map(sides.map((side) => [side, [] as number[]]));
  let repeat = 1;
  for (let round = -1; round < ROUNDS; round++) {
    const warmUp = round < 0;
    for (const side of sides) {
      await pause(REST);
      const answer = await side.time(repeat, warmUp ? WARM_UP : SLICE);
      if ('absent' in answer) note(side.program.name, answer.absent, work);
      else spent.get(side)?.push(...(warmUp ? [median(answer.times)] : answer.times));
    }
    if (!warmUp) continue;
    const fastest = Math.min(...[...spent.values()].flat());
    repeat = Math.max(1, Math.ceil(SHORTEST / fastest));
    for (const times of spent.values()) times.length = 0;
  }
  const ourMs = median(spent.get(ours) ?? []);
  for (const [peer, times] of [...spent, ...long]) {
    if (peer === ours || times.length === 0) continue;
    const peerMs = median(times);
    const row = { name: work.name, threads, peer: peer.program.name, peerMs, ourMs, ratio: peerMs / ourMs };
    rows.push(row);
    const goal = peer.program === PYTORCH ? goals.get(work.name) : undefined;
    const verdict = goal === undefined ? '' : row.ratio >= goal ? `met (${goal})` : `MISSED (${goal})`;
    const sizes = `${tables.formatMs(ourMs).padStart(8)} ${tables.formatMs(peerMs).padStart(9)}`;
    console.log(
      `${row.name.padEnd(56)} ${threads} ${row.peer.padEnd(11)} ${sizes} ${row.ratio.toFixed(2).padStart(8)} ${verdict}`,
    );
  }
}

async function compareAll(threads: number): Promise<void> {
  const ours = await Peer.start(OURS, threads);
  if (ours === null) throw new Error('chainrule does not start: run scripts/setup.sh first');
  const peers: Peer[] = [];
  for (const program of programs) {
    if (threads > 1 && !program.threads) continue;
    const wanted = program.families;
    if (wanted !== undefined && !chosen.some(({ family }) => wanted.includes(family))) continue;
    const peer = await Peer.start(program, threads);
    if (peer === null) note(program.name, `absent (${program === PYTORCH ? 'Debian: python3-torch' : INSTALL})`);
    else {
      peers.push(peer);
      versions.set(program.name, peer.version);
    }
  }
  try {
    for (const work of chosen) await compare(work, threads, ours, peers);
  } finally {
    for (const side of [ours, ...peers]) side.stop();
  }
}

const INSTALL = 'npm ci --ignore-scripts --prefix bench/compare';
console.log(machine());
for (const threads of [1, 2]) await compareAll(threads);

if (flags.keep !== undefined) {
  const earlier = JSON.parse(readFileSync(flags.keep, 'utf8')) as tables.Row[];
  const place = new Map(works.map(({ name }, i) => [name, i]));
  const again = new Set(rows.map(({ name }) => name));
  rows.push(...earlier.filter(({ name }) => !again.has(name)));
  rows.sort((a, b) => a.threads - b.threads || (place.get(a.name) ?? 0) - (place.get(b.name) ?? 0));
}
const others = programs.filter((program) => program !== PYTORCH).map(({ name }) => name);
const found = {
  'Against PyTorch': tables.against(rows, PYTORCH.name, goals),
  'Against other libraries': tables.sideBySide(rows, others),
  'Two threads': tables.scaling(rows, PYTORCH.name),
};
for (const [title, table] of Object.entries(found)) {
  if (table.length > 1) console.log(`\n${title}\n${tables.terminal(table)}`);
}
const below = tables.missed(rows, PYTORCH.name, goals);
const seconds = (performance.now() - started) / 1000;
const left = [...notes].map(([why, names]) =>
  names.length === 0 ? why : `${why} (${[...new Set(names)].join('; ')})`,
);
if (left.length > 0) console.log(`\nNot compared\n${left.join('\n')}`);
console.log(`${rows.length} comparisons in ${seconds.toFixed(0)} s; ${below.length} below their goal`);
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
if (flags.markdown !== undefined) {
  const names = [...versions].map(([name, version]) => `${name} ${version}`).join(', ');
  const parts = [
    `\`npm run bench:compare\` on ${machine()}; ${names}. Times are medians, sides in turn, each in its own process with the same`,
    'number of threads; a ratio is the time of the other over that of chainrule.',
  ];
  for (const [title, table] of Object.entries(found)) {
    if (table.length > 1) parts.push(`\n## ${title}\n`, tables.markdown(table));
  }
  if (left.length > 0) parts.push('\n## Not compared\n', ...left.map((line) => `- ${line}`));
  const text = existsSync(flags.markdown) ? readFileSync(flags.markdown, 'utf8') : '# Performance\n';
  writeFileSync(flags.markdown, tables.withSection(text, 'bench:compare', parts.join('\n')));
}
