// Types of onnx-model.js.
export function node(
  type: string,
  inputs: readonly string[],
  output: string,
  attributes?: Record<string, number | readonly number[]>,
): Buffer;
export function constant(name: string, data: Float32Array, shape: readonly number[]): Buffer;
export function model(parts: readonly Buffer[], inputShape: readonly number[], outputShape: readonly number[]): Buffer;
