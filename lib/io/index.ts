// The public exports of io, and nothing else.
export { encodeNpy, loadNpy, type NpyWriteOptions, parseNpy, saveNpy } from './npy.js';
export type { NpyDType } from './npy-header.js';
export { loadNpz, type NpzWriteOptions, saveNpz } from './npz.js';
export { type LoadedTensors, loadSafetensors, type NamedTensors, saveSafetensors } from './safetensors.js';
export type { SafetensorsWriteOptions } from './safetensors-format.js';
