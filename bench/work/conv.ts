// Convolutions: 64 to 64 channels, forward and with gradients, and the kinds networks are made of.
import { conv2d, convTranspose2d, type Tensor, tensor } from 'chainrule';
import { values, type Work } from './work.js';

interface Case {
  readonly name: string;
  /** x [N, C, H, W], w [O, C / groups, kh, kw], or [C, O / groups, kh, kw] transposed. */
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly transposed?: boolean;
  readonly backward?: boolean;
  /** Height and width of the output. */
  readonly side: number;
  readonly floorGoal?: number;
}

const CASES: Case[] = [
  // 70 % of the speed of products.
  { name: '64 to 64, 3x3', x: [16, 64, 32, 32], w: [64, 64, 3, 3], padding: 1, side: 32, floorGoal: 1 / 0.7 },
  {
    name: '64 to 64, 3x3, with gradients',
    x: [16, 64, 32, 32],
    w: [64, 64, 3, 3],
    padding: 1,
    side: 32,
    backward: true,
    floorGoal: 1 / 0.7,
  },
  { name: '3 to 64, 7x7, stride 2', x: [4, 3, 224, 224], w: [64, 3, 7, 7], stride: 2, padding: 3, side: 112 },
  { name: '256 to 64, 1x1', x: [16, 256, 32, 32], w: [64, 256, 1, 1], side: 32 },
  { name: 'depthwise, 3x3', x: [16, 128, 32, 32], w: [128, 1, 3, 3], padding: 1, groups: 128, side: 32 },
  { name: '64 to 64, 3x3, dilation 2', x: [8, 64, 32, 32], w: [64, 64, 3, 3], padding: 2, dilation: 2, side: 32 },
  {
    name: 'transposed, 64 to 32, 4x4',
    x: [8, 64, 16, 16],
    w: [64, 32, 4, 4],
    stride: 2,
    padding: 1,
    transposed: true,
    side: 32,
  },
];

/** Each output element costs a product and a sum for every tap; transposed, each input element does. */
function flops({ x, w, side, transposed, backward }: Case): number {
  const places = transposed ? x[0] * x[2] * x[3] : x[0] * side * side;
  return 2 * places * w[0] * w[1] * w[2] * w[3] * (backward ? 3 : 1);
}

export const works: Work[] = CASES.map((c) => {
  const { name, x: shape, w: kernel, stride = 1, padding = 0, dilation = 1, groups = 1 } = c;
  const { transposed = false, backward = false } = c;
  return {
    name: `conv ${name}, on [${shape}]`,
    family: 'conv',
    options: { x: shape, w: kernel, stride, padding, dilation, groups, transposed, backward },
    goal: 1,
    floor: { flops: flops(c), goal: c.floorGoal },
    keeps: backward,
    prepare: (dtype) => {
      const x = tensor(values(shape, 1, dtype), { requiresGrad: backward });
      const w = tensor(values(kernel, 2, dtype), { requiresGrad: backward });
      const b = values([transposed ? kernel[1] : kernel[0]], 3, dtype);
      const options = { stride, padding, dilation, groups };
      const forward = () => (transposed ? convTranspose2d(x, w, b, options) : conv2d(x, w, b, options));
      if (!backward) return forward;
      return () => {
        x.zeroGrad();
        w.zeroGrad();
        forward().sum().backward();
        return w.grad as Tensor;
      };
    },
  };
});
