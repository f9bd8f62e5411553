// Import directions of lib/ (docs/architecture.md): each layer sees the ones before it.
const layers = [
  ['base', '^lib/(errors|builtin|core/dtype|core/shape)\\.ts$'],
  ['memory', '^lib/(native|core/storage|core/recording)\\.ts$'],
  ['core', '^lib/core/(?!(dtype|shape|storage|recording)\\.ts$)'],
  ['ops', '^lib/ops/'],
  ['tensor', '^lib/tensor\\.ts$'],
  ['functions', '^lib/(autograd/|(?!(index|tensor|native|errors|builtin)\\.ts$)[^/]+\\.ts$)'],
  ['library', '^lib/(nn|optim|data|io|distributions|capture)/'],
  ['tools', '^lib/(train|viz|serve)/'],
  ['cli', '^lib/cli/'],
];
const tensor = '^lib/tensor\\.ts$';

const directions = layers.slice(0, -1).map(([name, path], i) => ({
  name: `${name}-sees-only-what-is-below`,
  severity: 'error',
  comment: `imports point one way: ${layers.map(([layer]) => layer).join(' <- ')}`,
  from: { path },
  to: { path: layers.slice(i + 1).map(([, above]) => above), pathNot: tensor },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'tensor-as-a-type',
      severity: 'error',
      comment: 'core/ and ops/ know the Tensor class as a type only',
      from: { path: layers.slice(0, 4).map(([, path]) => path) },
      to: { path: tensor, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'index-is-for-users',
      severity: 'error',
      comment: 'below the tools, modules name each other; index.ts only exports',
      from: { path: layers.slice(0, 7).map(([, path]) => path) },
      to: { path: '^lib/index\\.ts$' },
    },
    {
      name: 'nn-optim-through-the-front-door',
      severity: 'error',
      comment: 'modules and optimizers use what any user could use',
      from: { path: '^lib/(nn|optim)/' },
      to: {
        path: '^lib/',
        pathNot: '^lib/((nn|optim|ops|autograd)/|[^/]+\\.ts$|core/(dtype|shape|mode|random|scope|recording)\\.ts$)',
      },
    },
    {
      name: 'nn-optim-not-native',
      severity: 'error',
      comment: 'loops belong to ops/',
      from: { path: '^lib/(nn|optim)/' },
      to: { path: '^lib/native\\.ts$' },
    },
    {
      name: 'nn-optim-core-types',
      severity: 'error',
      comment:
        'of core/, modules and optimizers see the types of dtype and shape, noGrad, scope and Generator, which are public, and what they tell capture()',
      from: { path: '^lib/(nn|optim)/' },
      to: {
        path: '^lib/core/',
        pathNot: '^lib/core/(mode|random|scope|recording)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'one-loader',
      severity: 'error',
      comment: 'native.ts is the only file that touches the .node',
      from: { path: '^lib/', pathNot: '^lib/native\\.ts$' },
      to: { path: 'node-gyp-build' },
    },
    {
      name: 'node-when-needed',
      severity: 'error',
      comment: 'an import statement makes Node load all of it and what it loads lazily itself: lib/builtin.ts',
      from: { path: '^lib/', pathNot: '^lib/(cli/|data/crew-worker\\.ts$)' },
      to: {
        path: '^(node:)?(child_process|crypto|fs|http|https|process|readline|stream|v8|worker_threads|zlib)(/|$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'a cycle of values breaks initialisation order; one of types is harmless',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'an import that leads nowhere',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-dependencies',
      severity: 'error',
      comment: 'what users do not get installed must not be imported',
      from: { path: '^lib/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
