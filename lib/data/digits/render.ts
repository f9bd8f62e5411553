// Draws one digit: strokes bent and tilted by chance, then inked into 28 by 28 grey pixels.
import type { DigitRandom } from './random.js';
import type { Glyph } from './strokes.js';

/** Height and width of an image in pixels. */
export const DIGIT_SIZE = 28;
const PIXELS = DIGIT_SIZE * DIGIT_SIZE;
// Straight pieces between two given points: a piece is about a pixel long.
const PIECES = 5;
const MARGIN = 2.5;

/** Room for one digit's line, kept between images so that drawing allocates nothing. */
export interface Canvas {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Where a point opens a new stroke 1, else 0. */
  readonly start: Uint8Array;
  points: number;
  /** A pixel's distance from the edge of the ink, negative inside. */
  readonly gap: Float64Array;
}

export function createCanvas(): Canvas {
  const room = 512;
  return {
    x: new Float64Array(room),
    y: new Float64Array(room),
    start: new Uint8Array(room),
    points: 0,
    gap: new Float64Array(PIXELS),
  };
}

/** Draws a glyph in a new pose into `out`, DIGIT_SIZE^2 bytes from `offset`. */
export function drawGlyph(glyph: Glyph, random: DigitRandom, canvas: Canvas, out: Uint8Array, offset: number): void {
  trace(glyph, random, canvas);
  pose(random, canvas);
  ink(random, canvas, out, offset);
}

/** Lays the strokes out as points in [-1, 1]^2, each given point a little off its place. */
function trace(glyph: Glyph, random: DigitRandom, canvas: Canvas): void {
  const { x, y, start } = canvas;
  let points = 0;
  for (const stroke of glyph) {
    const n = stroke.length / 2;
    const px: number[] = [];
    const py: number[] = [];
    for (let i = 0; i < n; i++) {
      const corner = i > 0 && stroke[2 * i] === stroke[2 * i - 2] && stroke[2 * i + 1] === stroke[2 * i - 1];
      // The two halves of a corner must move together, or the corner would turn into a hook.
      px.push(corner ? px[i - 1] : stroke[2 * i] / 50 - 1 + 0.045 * random.normal());
      py.push(corner ? py[i - 1] : stroke[2 * i + 1] / 50 - 1 + 0.045 * random.normal());
    }
    start[points] = 1;
    for (let i = 0; i + 1 < n; i++) {
      if (px[i] === px[i + 1] && py[i] === py[i + 1]) continue;
      const before = i > 0 ? i - 1 : i;
      const after = i + 2 < n ? i + 2 : i + 1;
      for (let k = 0; k < PIECES; k++) {
        x[points] = spline(px[before], px[i], px[i + 1], px[after], k / PIECES);
        y[points] = spline(py[before], py[i], py[i + 1], py[after], k / PIECES);
        start[++points] = 0;
      }
    }
    x[points] = px[n - 1];
    y[points++] = py[n - 1];
  }
  canvas.points = points;
}

/** Catmull-Rom: the curve passes through b at t = 0 and c at t = 1 with slopes (c - a) / 2 and (d - b) / 2. */
function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** Bends the line, then tilts, slants, stretches and places it: [-1, 1]^2 to pixels. */
function pose(random: DigitRandom, canvas: Canvas): void {
  const { x, y, points } = canvas;
  const bend: number[] = [];
  for (let i = 0; i < 8; i++) bend.push(0.075 * random.normal());
  // Half the tangent gives cosine and sine by division alone; Math.sin may differ between engines.
  const t = 0.06 * random.normal();
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const slant = 0.12 + 0.18 * random.normal();
  const height = random.uniform(8.5, 10.6);
  const width = random.uniform(7.0, 9.8);
  let left = DIGIT_SIZE;
  let right = 0;
  let top = DIGIT_SIZE;
  let bottom = 0;
  for (let i = 0; i < points; i++) {
    const u = x[i];
    const v = y[i];
    const bu = u + bend[0] * u * v + bend[1] * (v * v - 0.5) + bend[2] * u * u + bend[3] * v * (v * v - 0.5);
    const bv = v + bend[4] * u * v + bend[5] * (u * u - 0.5) + bend[6] * v * v + bend[7] * u * (u * u - 0.5);
    const sx = width * bu - slant * height * bv;
    const sy = height * bv;
    x[i] = cos * sx - sin * sy;
    y[i] = sin * sx + cos * sy;
    left = Math.min(left, x[i]);
    right = Math.max(right, x[i]);
    top = Math.min(top, y[i]);
    bottom = Math.max(bottom, y[i]);
  }
  // Centred by its box as MNIST centres by its mass, shifted by chance, and never beyond the margin.
  const room = DIGIT_SIZE - 2 * MARGIN;
  const shrink = Math.min(1, room / (right - left), room / (bottom - top));
  const dx = place(1.25 * random.normal(), shrink * (right - left));
  const dy = place(1.25 * random.normal(), shrink * (bottom - top));
  for (let i = 0; i < points; i++) {
    x[i] = shrink * (x[i] - 0.5 * (left + right)) + dx;
    y[i] = shrink * (y[i] - 0.5 * (top + bottom)) + dy;
  }
}

/** The centre of a line of this extent after a shift, kept so that the line stays on the image. */
function place(shift: number, extent: number): number {
  const free = 0.5 * (DIGIT_SIZE - extent) - MARGIN;
  return 0.5 * DIGIT_SIZE + Math.max(-free, Math.min(free, shift));
}

/** Inks the line with a round pen whose pressure changes along the way. */
function ink(random: DigitRandom, canvas: Canvas, out: Uint8Array, offset: number): void {
  const { x, y, start, points, gap } = canvas;
  gap.fill(2);
  let radius = random.uniform(0.75, 1.6);
  const drift = (0.35 * random.normal()) / points;
  for (let i = 1; i < points; i++) {
    radius = Math.max(0.6, Math.min(1.9, radius + drift));
    if (start[i] === 0) stamp(gap, x[i - 1], y[i - 1], x[i], y[i], radius);
  }
  const dark = random.uniform(215, 262);
  const edge = random.uniform(0.75, 1.1);
  for (let i = 0; i < PIXELS; i++) {
    const cover = 0.5 - edge * gap[i];
    // Grain on the ink only: as in MNIST, the paper stays exactly 0.
    const grey = cover <= 0 ? 0 : Math.min(1, cover) * dark + 9 * random.normal();
    out[offset + i] = Math.max(0, Math.min(255, Math.round(grey)));
  }
  // A few specks of dust.
  for (let n = random.integer(4); n > 0; n--) {
    const i = offset + random.integer(PIXELS);
    out[i] = Math.max(out[i], random.integer(120));
  }
}

/** Lowers `gap` to the distance from one straight piece of line, less the pen's radius. */
function stamp(gap: Float64Array, x0: number, y0: number, x1: number, y1: number, radius: number): void {
  // Pixel (column, row) has its centre at (column + 0.5, row + 0.5).
  const reach = radius + 0.7;
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach - 0.5));
  const right = Math.min(DIGIT_SIZE - 1, Math.floor(Math.max(x0, x1) + reach - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach - 0.5));
  const bottom = Math.min(DIGIT_SIZE - 1, Math.floor(Math.max(y0, y1) + reach - 0.5));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const scale = 1 / Math.max(1e-12, dx * dx + dy * dy);
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - y0;
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const along = Math.max(0, Math.min(1, (px * dx + py * dy) * scale));
      const ex = px - along * dx;
      const ey = py - along * dy;
      const distance = Math.sqrt(ex * ex + ey * ey) - radius;
      const i = row * DIGIT_SIZE + column;
      if (distance < gap[i]) gap[i] = distance;
    }
  }
}
