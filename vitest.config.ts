// Tests run on the sources of lib/ and the addon in build/ (CHAINRULE_PREBUILD=folder picks another), a process per file.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { chainrule: new URL('./lib/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'build/**', 'build-*/**'],
    pool: 'forks',
    // A sanitizer build is some ten times slower.
    testTimeout: process.env.CHAINRULE_SANITIZED ? 120_000 : 20_000,
    hookTimeout: process.env.CHAINRULE_SANITIZED ? 120_000 : 20_000,
    teardownTimeout: 5_000,
    passWithNoTests: false,
  },
});
