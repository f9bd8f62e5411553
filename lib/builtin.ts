// Modules of Node that are loaded on first use: most programs need none of them.
//
// An import statement would also read each of their properties, among them streams and web APIs that Node makes when asked for:
// 8 ms for node:fs, 6 for node:crypto, 5 for node:zlib, 3 for node:fs/promises and node:worker_threads.

export const builtin = {
  get crypto() {
    return process.getBuiltinModule('node:crypto');
  },
  get fs() {
    return process.getBuiltinModule('node:fs');
  },
  get files() {
    return process.getBuiltinModule('node:fs/promises');
  },
  get threads() {
    return process.getBuiltinModule('node:worker_threads');
  },
  get v8() {
    return process.getBuiltinModule('node:v8');
  },
  get zlib() {
    return process.getBuiltinModule('node:zlib');
  },
};
