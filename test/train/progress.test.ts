// The bar of fit(): where nobody looks there is none, and whatever ends the program, the terminal is as it was.
import { expect, it } from 'vitest';
import { run } from '../core/fixtures/run.js';

/** A program that trains with a bar on what it takes for a terminal, or none, and does something after some steps. */
const program = (terminal: boolean, atStep: string) => `
  import { mseLoss, nn, ones, optim, train } from 'chainrule';
  Object.defineProperty(process.stderr, 'isTTY', { value: ${terminal} });
  const model = new nn.Linear(2, 1);
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const onStep = async ({ type, step }) => {
    if (type !== 'step' || step !== 5) return;
    await later(150);
    ${atStep};
    await later(150);
  };
  const data = Array.from({ length: 10 }, () => [ones([1, 2]), ones([1, 1])]);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const run = train.fit({ model, data, loss: mseLoss, optimizer, progress: true, callbacks: [onStep] });
  console.log((await run).losses.length);
`;
const SHOWN = /epoch 1\/1 █+░* \d+\/10 \| loss \d/;
/** Cursor and line ends are given back as often as they were taken. */
function expectOrder(stderr: string): void {
  expect(stderr).toMatch(SHOWN);
  const count = (text: string) => stderr.split(text).length - 1;
  expect([count('\x1b[?25h'), count('\x1b[?7h')]).toEqual([count('\x1b[?25l'), count('\x1b[?7l')]);
  expect(count('\x1b[?25l')).toBeGreaterThan(0);
}
const tell = (text: string) => text.replace(/^npm warn.*\n/gm, '');

it('is there on a terminal, and gone at the end', () => {
  const { status, stdout, stderr } = run(['--eval', program(true, '')], { TERM: 'xterm' });
  expect([status, stdout]).toEqual([0, '10\n']);
  expectOrder(stderr);
  expect(stderr).not.toContain('\x1b[3'); // no colours
});

it.each([
  ['in a pipe', false, 'xterm'],
  ['on a terminal that cannot move the cursor', true, 'dumb'],
])('is not there %s', (_, terminal, TERM) => {
  const { status, stdout, stderr } = run(['--eval', program(terminal, '')], { TERM });
  expect([status, stdout, tell(stderr)]).toEqual([0, '10\n', '']);
});

it('leaves the terminal in order where a signal ends the program, which it still does', () => {
  const { signal, stdout, stderr } = run(['--eval', program(true, "process.kill(process.pid, 'SIGTERM')")], {
    TERM: 'xterm',
  });
  expect([signal, stdout]).toEqual(['SIGTERM', '']);
  expectOrder(stderr);
});

it('leaves signals to a program that listens', () => {
  const listen = "process.on('SIGTERM', () => console.log('heard')); process.kill(process.pid, 'SIGTERM')";
  const { status, stdout, stderr } = run(['--eval', program(true, listen)], { TERM: 'xterm' });
  expect([status, stdout]).toEqual([0, 'heard\n10\n']);
  expectOrder(stderr);
});

it('leaves the terminal in order where the run fails', () => {
  const { status, stderr } = run(['--eval', program(true, "throw new RangeError('enough')")], { TERM: 'xterm' });
  expect(status).toBe(1);
  expectOrder(stderr);
  expect(stderr).toContain('RangeError: enough');
});
