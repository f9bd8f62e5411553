// Both ways to answer a request: serve(), and onnxruntime's session.run.
import { fromTypedArray, noGrad, serve, tensor } from 'chainrule';
import { type Answer, CALLERS, onnxModel, ourModel, SIZES } from './model.js';

export type SideName = 'chainrule' | 'chainrule, tensors' | 'onnxruntime';

/** What answers, and its end. */
export interface Side {
  readonly answer: Answer;
  close(): Promise<unknown>;
}

function chainrule(): Side {
  const predict = serve(ourModel(), { maxBatch: CALLERS });
  return { answer: async (data) => (await predict(data)) as Float32Array, close: () => predict.close() };
}

/** The same with a tensor made for each request and another for each answer, as onnxruntime has it. */
function chainruleTensors(): Side {
  const predict = serve(ourModel(), { maxBatch: CALLERS });
  const answer = async (data: Float32Array) => {
    const y = await predict(fromTypedArray(data, [1, SIZES[0]]));
    return y.data as Float32Array;
  };
  return { answer, close: () => predict.close() };
}

async function onnxruntime(): Promise<Side> {
  // Installed beside the comparisons only, so its types may be absent.
  const name: string = 'onnxruntime-node';
  const ort = await import(name);
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionProviders: ['cpu'] };
  const session = await ort.InferenceSession.create(onnxModel(), options);
  const answer = async (data: Float32Array) => {
    const { y } = await session.run({ x: new ort.Tensor('float32', data, [1, SIZES[0]]) });
    return y.data as Float32Array;
  };
  return { answer, close: () => session.release() };
}

export async function openSide(name: SideName): Promise<Side> {
  if (name === 'onnxruntime') return onnxruntime();
  return name === 'chainrule' ? chainrule() : chainruleTensors();
}

/** What chainrule answers outside serve(): an eager forward pass of one row. */
export function eagerAnswers(inputs: readonly Float32Array[]): Float32Array[] {
  const model = ourModel();
  return inputs.map((x) => noGrad(() => model.forward(tensor(x).reshape([1, SIZES[0]]))).data as Float32Array);
}
