// What all networks of the chart share: small steps downhill.
import { nn, optim, type Tensor } from 'chainrule';

/** Takes steps of Adam, shorter ones along half a cosine. */
export function learn(
  model: nn.AnyModule,
  loss: (step: number) => Tensor,
  { steps, rate }: { steps: number; rate: number },
): void {
  const optimizer = new optim.Adam(model.parameters(), { lr: rate });
  const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, steps);
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    loss(step).backward();
    nn.utils.clipGradNorm(model.parameters(), 1); // recurrent networks stumble over a cliff now and then
    optimizer.step();
    schedule.step();
  }
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
