// The public exports of io, and nothing else.
export { type LoadedTensors, loadSafetensors, type NamedTensors, saveSafetensors } from './safetensors.js';
export type { SafetensorsWriteOptions } from './safetensors-format.js';
