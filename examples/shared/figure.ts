// Where the pictures of the lessons go: the folder out/.
import { mkdirSync, writeFileSync } from 'node:fs';

const drawn = new Set<string>();

/** Writes a picture, in the place of an earlier one, and says once where it is. */
export function saveFigure(name: string, svg: string): void {
  const file = `out/${name}.svg`;
  mkdirSync('out', { recursive: true });
  writeFileSync(file, svg);
  if (!drawn.has(file)) console.log(`drawn: ${file}`);
  drawn.add(file);
}
