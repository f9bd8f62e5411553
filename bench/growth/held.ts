// Prints the MiB that tensors and pool hold after four LeNet training steps of a batch; a process of its own for each batch.
import { memory } from 'chainrule';
import { lenetStep } from '../work/lenet.js';

const step = lenetStep(Number(process.argv[2]));
for (let i = 0; i < 4; i++) step();
const { bytes, poolBytes } = memory();
console.log((bytes + poolBytes) / 2 ** 20);
