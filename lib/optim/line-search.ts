// Line search for LBFGS: a step length that fulfils the strong Wolfe conditions.

/** Value and directional derivative at a step length, with whatever belongs to them. */
export interface Probe<G> {
  t: number;
  f: number;
  /** Derivative along the direction. */
  slope: number;
  gradient: G;
}

/** Minimum of the cubic through two points with their slopes, within bounds; their middle where there is none. */
function cubicMinimum<G>(a: Probe<G>, b: Probe<G>, low = Math.min(a.t, b.t), high = Math.max(a.t, b.t)): number {
  const d1 = a.slope + b.slope - (3 * (a.f - b.f)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const [x, y] = a.t <= b.t ? [a, b] : [b, a];
  const place = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2));
  return Math.min(Math.max(place, low), high);
}

/**
 * Finds t with `f(t) <= f(0) + c1 t f'(0)` and `|f'(t)| <= c2 |f'(0)|` (Nocedal and Wright 2006, algorithms 3.5 and 3.6, as
 * PyTorch's `_strong_wolfe` has them).
 *
 * @param probe evaluates at a step length
 * @param start what is known at 0
 * @param t the first length to try
 * @param size largest element of the direction
 * @returns the best probe, and how many there were
 */
export function strongWolfe<G>(
  probe: (t: number) => Probe<G>,
  start: Probe<G>,
  t: number,
  size: number,
  toleranceChange: number,
  { c1 = 1e-4, c2 = 0.9, most = 25 } = {},
): { best: Probe<G>; evaluations: number } {
  const flat = (p: Probe<G>) => Math.abs(p.slope) <= -c2 * start.slope;
  const high = (p: Probe<G>) => p.f > start.f + c1 * p.t * start.slope;
  let before = start;
  let now = probe(t);
  let evaluations = 1;
  let steps = 0;
  let bracket: [Probe<G>, Probe<G>] | null = null;
  for (; steps < most; steps++) {
    if (high(now) || (steps > 1 && now.f >= before.f)) {
      bracket = [before, now];
      break;
    }
    if (flat(now)) return { best: now, evaluations };
    if (now.slope >= 0) {
      bracket = [before, now];
      break;
    }
    const next = cubicMinimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
    before = now;
    now = probe(next);
    evaluations++;
  }
  bracket ??= [start, now];
  let low = bracket[0].f <= bracket[1].f ? 0 : 1;
  let stuck = false;
  for (; steps < most; steps++) {
    const [a, b] = bracket;
    if (Math.abs(b.t - a.t) * size < toleranceChange) break;
    let next = cubicMinimum(a, b);
    const [left, right] = [Math.min(a.t, b.t), Math.max(a.t, b.t)];
    const margin = 0.1 * (right - left);
    // Twice close to an end, or at it, is no progress: move away from it.
    if (Math.min(right - next, next - left) < margin) {
      if (stuck || next >= right || next <= left) {
        next = Math.abs(next - right) < Math.abs(next - left) ? right - margin : left + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;
    now = probe(next);
    evaluations++;
    if (high(now) || now.f >= bracket[low].f) {
      bracket[1 - low] = now;
      low = bracket[0].f <= bracket[1].f ? 0 : 1;
      continue;
    }
    const done = flat(now);
    if (!done && now.slope * (bracket[1 - low].t - bracket[low].t) >= 0) bracket[1 - low] = bracket[low];
    bracket[low] = now;
    if (done) break;
  }
  return { best: bracket[low], evaluations };
}
