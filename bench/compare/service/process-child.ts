// The 64 callers of one side, in a process of their own: neither side pays for the garbage, the compiled code or the hooks of the other.
import '../../any-core.js';

import { once } from 'node:events';
import { setNumThreads } from 'chainrule';
import { ask } from './callers.js';
import { requests } from './model.js';
import { openSide, type SideName } from './sides.js';

setNumThreads(1);
const [expected] = (await once(process, 'message')) as [Float32Array[]];
const inputs = requests(expected.length);
const side = await openSide(process.argv[2] as SideName);
process.on('message', async (count: number) => {
  if (count > 0) {
    process.send?.(await ask(side.answer, inputs, expected, count));
    return;
  }
  await side.close();
  process.disconnect();
});
process.send?.('ready');
