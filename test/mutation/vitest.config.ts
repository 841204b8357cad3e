// Mutation testing, by hand and not in CI: do the tests notice when the code is changed? Not a dependency, because it is
// larger than everything else together:
//   npm install --no-save @stryker-mutator/core@9 @stryker-mutator/vitest-runner@9
//   nice -n 19 npx stryker run test/mutation/stryker.config.json
// A survivor needs a test or a reason: SURVIVORS.md.
import { defineConfig } from 'vitest/config';

const machines = '{backoff-ms,panes,sessions,watermark,alerts,recent,earliest}';
const operators =
  '{backoff,batch,retry-backoff,with-watermark,tumbling-window,sliding-window,session-window,count-window,alert-state}';

export default defineConfig({
  test: {
    include: [`test/unit/${machines}.test.ts`, `marble-tests/operators/${operators}.test.ts`],
    // The tests with a million elements find nothing here that the others do not, and take most of the time.
    testNamePattern: /^(?!.*a million)/,
    testTimeout: 60_000,
  },
});
