// The tables of the comparison, made of its rows: for the terminal and for Markdown.

/** One comparison; `ratio` is the peer's time over ours. */
export interface Row {
  readonly name: string;
  readonly threads: number;
  readonly peer: string;
  readonly peerMs: number;
  readonly ourMs: number;
  readonly ratio: number;
}

/** Lines of cells, the first line the heading. */
export type Table = readonly (readonly string[])[];

/** Three digits, as microseconds below a tenth of a millisecond. */
export function formatMs(ms: number): string {
  if (ms < 0.1) return `${digits(ms * 1000)} us`;
  return `${digits(ms)} ms`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The comparison with one peer: a line for each row, with the goal and whether it is met. */
export function against(rows: readonly Row[], peer: string, goals: ReadonlyMap<string, number>): Table {
  const lines = rows
    .filter((row) => row.peer === peer)
    .map(({ name, threads, ourMs, peerMs, ratio }) => {
      const goal = goals.get(name);
      const verdict = goal === undefined ? '' : ratio >= goal ? 'met' : 'MISSED';
      return [
        name,
        String(threads),
        formatMs(ourMs),
        formatMs(peerMs),
        ratio.toFixed(2),
        goal === undefined ? '' : String(goal),
        verdict,
      ];
    });
  return [['work', 'threads', 'chainrule', peer, 'ratio', 'goal', ''], ...lines];
}

/** Ratios of several peers side by side, a column each; a dash where one cannot do the work. */
export function sideBySide(rows: readonly Row[], peers: readonly string[]): Table {
  const chosen = rows.filter(({ peer }) => peers.includes(peer));
  const present = peers.filter((peer) => chosen.some((row) => row.peer === peer));
  const keys = [...new Set(chosen.map(({ name, threads }) => `${threads} ${name}`))];
  const lines = keys.map((key) => {
    const same = chosen.filter(({ name, threads }) => `${threads} ${name}` === key);
    const ratios = present.map((p) => same.find(({ peer }) => peer === p)?.ratio.toFixed(1) ?? '-');
    return [same[0].name, String(same[0].threads), formatMs(same[0].ourMs), ...ratios];
  });
  return [['work', 'threads', 'chainrule', ...present], ...lines];
}

/** Our time on one thread over that on two. */
export function scaling(rows: readonly Row[], peer: string): Table {
  const [one, two] = [1, 2].map(
    (count) => new Map(rows.filter((r) => r.threads === count && r.peer === peer).map((r) => [r.name, r.ourMs])),
  );
  const lines = [...one].flatMap(([name, ms]) => {
    const halved = two.get(name);
    return halved === undefined ? [] : [[name, formatMs(ms), formatMs(halved), (ms / halved).toFixed(2)]];
  });
  return [['work', '1 thread', '2 threads', 'speed-up'], ...lines];
}

/** Names that did not reach their goal, worst first. */
export function missed(rows: readonly Row[], peer: string, goals: ReadonlyMap<string, number>): Row[] {
  const share = ({ name, ratio }: Row) => ratio / (goals.get(name) ?? 0);
  return rows.filter((row) => row.peer === peer && share(row) < 1).sort((a, b) => share(a) - share(b));
}

const NUMBER = /^[-\d.]+( (ms|us|x|MiB|GFLOP\/s))?$/;
/** Whether a column holds numbers: those stand to the right. */
const numeric = (table: Table, column: number) =>
  table.slice(1).every((line) => line[column] === '' || NUMBER.test(line[column]));

/** Columns aligned by spaces. */
export function terminal(table: Table): string {
  const widths = table[0].map((_, i) => Math.max(...table.map((line) => line[i].length)));
  const right = table[0].map((_, i) => numeric(table, i));
  const align = (cell: string, i: number) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]));
  return table.map((line) => line.map(align).join('  ').trimEnd()).join('\n');
}

export function markdown(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${table[0].map((_, i) => (numeric(table, i) ? '---:' : '---')).join('|')}|`;
  return [line(table[0]), rule, ...table.slice(1).map(line)].join('\n');
}

/** A text with the part between `<!-- name -->` and `<!-- end of name -->` replaced, or added at its end. */
export function withSection(text: string, name: string, section: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const made = `${open}\n${section.trim()}\n${close}`;
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) return `${text.trimEnd()}\n\n${made}\n`;
  return text.slice(0, start) + made + text.slice(end + close.length);
}
