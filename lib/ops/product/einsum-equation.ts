// Reading an einsum equation: which dimension of which operand carries which label.
import { formatShape, type Shape } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';

const OP = 'einsum';

/** Labels of every dimension of the operands and of the result; equal numbers name one dimension. */
export interface Labelling {
  readonly operands: readonly (readonly number[])[];
  readonly output: readonly number[];
}

/** Labels of one term; `...` stands where the ellipsis does. */
type Term = readonly (string | '...')[];

function readTerm(text: string, name: string): Term {
  const term: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === ' ') continue;
    if (c === '.') {
      if (text.slice(i, i + 3) !== '...' || term.includes('...')) {
        throw new TensorError('value', OP, `expected one ellipsis '...' at most in ${name}, got '${text}'`);
      }
      term.push('...');
      i += 2;
    } else if (/[a-zA-Z]/.test(c)) {
      term.push(c);
    } else {
      throw new TensorError('value', OP, `expected labels a-z and A-Z in ${name}, got '${c}' in '${text}'`);
    }
  }
  return term;
}

/** Dimensions that the ellipsis of a term stands for. */
function covered(term: Term, shape: Shape, name: string): number {
  const labels = term.filter((label) => label !== '...').length;
  const rest = shape.length - labels;
  if (rest < 0 || (rest > 0 && labels === term.length)) {
    throw new TensorError(
      'shape',
      OP,
      `expected ${labels} dimensions of ${name} for its labels '${term.join('')}'${labels === term.length ? '' : ' or more'}, got ${formatShape(shape)}`,
    );
  }
  return rest;
}

/** Labels in PyTorch's order, capitals first, that stand exactly once in all terms. */
function implicitOutput(terms: readonly Term[]): string[] {
  const all = terms.flat();
  const once = all.filter((label) => label !== '...' && all.indexOf(label) === all.lastIndexOf(label));
  return ['...', ...once.sort()];
}

function checkOutput(output: Term, terms: readonly Term[]): void {
  for (const [i, label] of output.entries()) {
    if (label === '...') continue;
    if (output.indexOf(label) !== i) {
      throw new TensorError('value', OP, `expected each label once in the output, got '${label}' twice`);
    }
    if (!terms.some((term) => term.includes(label))) {
      throw new TensorError('value', OP, `expected labels of the operands in the output, got '${label}'`);
    }
  }
}

/** Reads an equation for operands of these shapes, in PyTorch's grammar. */
export function readEquation(equation: unknown, shapes: readonly Shape[]): Labelling {
  if (typeof equation !== 'string') {
    throw new TensorError('value', OP, `expected an equation such as 'ij,jk->ik', got ${describe(equation)}`);
  }
  const arrow = equation.indexOf('->');
  const left = arrow < 0 ? equation : equation.slice(0, arrow);
  const parts = left.split(',');
  if (parts.length !== shapes.length) {
    throw new TensorError(
      'value',
      OP,
      `expected as many operands as '${left}' has terms, ${parts.length}, got ${shapes.length}`,
    );
  }
  const terms = parts.map((part, i) => readTerm(part, `operand ${i}`));
  const output = arrow < 0 ? implicitOutput(terms) : readTerm(equation.slice(arrow + 2), 'the output');
  checkOutput(output, terms);
  const hidden = terms.map((term, i) => covered(term, shapes[i], `operand ${i}`));
  const most = Math.max(...hidden);
  // Dimensions of an ellipsis meet as in broadcasting, aligned at the end: they are -1 for the last, -2 for the one before.
  const number = (label: string, ellipsis: number): number[] =>
    label === '...' ? Array.from({ length: ellipsis }, (_, i) => i - ellipsis) : [label.charCodeAt(0)];
  return {
    operands: terms.map((term, i) => term.flatMap((label) => number(label, hidden[i]))),
    output: output.flatMap((label) => number(label, most)),
  };
}

/** A label as the user wrote it. */
export const labelName = (label: number): string =>
  label < 0 ? `'...' (${label})` : `'${String.fromCharCode(label)}'`;
