import { defineConfig } from 'vitest/config';

const CRASHES = 'marble-tests/crash-enumeration*.test.ts';

// RXJS=rxjs-lowest: the lowest version that the pack promises to work with, instead of the newest.
const rxjs = process.env['RXJS'];

/** Files that share a process: they keep no state in modules, and most of their time would be spent on loading rxjs. */
const QUICK = { isolate: false, maxWorkers: 2 };

export default defineConfig({
  ...(rxjs === undefined ? {} : { resolve: { alias: [{ find: /^rxjs(?=\/|$)/, replacement: rxjs }] } }),
  test: {
    passWithNoTests: true,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/types/**/*.test.ts'], ...QUICK } },
      {
        extends: true,
        test: { name: 'marbles', include: ['marble-tests/**/*.test.ts'], exclude: [CRASHES], ...QUICK },
      },
      // Minutes, where the marbles take seconds.
      { test: { name: 'crashes', include: [CRASHES], ...QUICK } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Real processes and disks: at most two files at a time, and only after the quick projects.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
