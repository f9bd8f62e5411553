// What a call throws, for tests of errors.
import { type ErrorCode, TensorError } from 'chainrule';
import { expect } from 'vitest';

/** What a call throws, taken for a TensorError; undefined where it returns. */
export function thrown(call: () => unknown): TensorError {
  try {
    call();
  } catch (error) {
    return error as TensorError;
  }
  return undefined as never;
}

/** The code of the TensorError that a call throws, 'none' where it returns; any other error goes on. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return codeIn(error);
  }
  return 'none';
}

/** {@link codeOf} for calls that give a promise. */
export async function codeOfAsync(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return codeIn(error);
  }
  return 'none';
}

function codeIn(error: unknown): string {
  if (error instanceof TensorError) return error.code;
  throw error;
}

/** Expects a TensorError of a code whose message holds all parts. */
export function expectError(call: () => unknown, code: ErrorCode, ...parts: string[]): void {
  const error = thrown(call);
  expect(error).toBeInstanceOf(TensorError);
  const { code: got, message } = error;
  expect(got, message).toBe(code);
  for (const part of parts) expect(message).toContain(part);
}
