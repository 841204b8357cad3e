import rxjs from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const noProcess = 'process belongs to src/main.ts: pass in what you need of it.';
const processGlobals = [{ name: 'process', message: noProcess }];
const processProperties = ['globalThis', 'global'].map((object) => ({
  object,
  property: 'process',
  message: noProcess,
}));
const processModules = ['process', 'node:process'].map((name) => ({ name, message: noProcess }));

const clock = 'Time and timers come from the scheduler.';
const pureGlobals = [
  { name: 'console', message: 'Operators log nothing.' },
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance'].map((name) => ({
    name,
    message: clock,
  })),
  { name: 'fetch', message: 'IO belongs to sources, sinks and stores.' },
  { name: 'crypto', message: 'Randomness is a parameter.' },
];
const pureProperties = [
  { object: 'Date', property: 'now', message: clock },
  { object: 'Math', property: 'random', message: 'Randomness is a parameter.' },
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'data/', 'out/', 'logs/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, rxjs.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Numbers and booleans read well in messages; the rule is for objects and undefined.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `tap(() => subscriber.complete())` is the idiom of observers; braces would only add noise.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Fires on `new winston.transports.Console()`: third-party classes are often declared apart from their code.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // `_` says "not used" where a callback's position matters.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-globals': ['error', ...processGlobals],
      'no-restricted-properties': ['error', ...processProperties],
      'no-restricted-imports': ['error', { paths: processModules }],
    },
  },
  {
    // House rule 3: no IO, no log, no clock but the scheduler, no randomness but a parameter.
    files: ['src/model/**/*.ts', 'src/operators/**/*.ts', 'src/flow/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', ...processGlobals, ...pureGlobals],
      'no-restricted-properties': ['error', ...processProperties, ...pureProperties],
      'no-restricted-imports': [
        'error',
        {
          paths: processModules,
          patterns: [{ group: ['node:*'], message: 'IO belongs to sources, sinks and stores.' }],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
        { selector: "CallExpression[callee.name='Date']", message: clock },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'marble-tests/**/*.ts'],
    rules: {
      // A test that indexes past the end fails anyway, and `!` says so shortest.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // `expect(port.close).toHaveBeenCalled()` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      // Fakes of async ports often have nothing to await.
      '@typescript-eslint/require-await': 'off',
      // `expect.any(Number)` and `JSON.parse` are `any`; the comparison is the check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      // An empty source should reject `firstValueFrom` and so fail the test.
      'rxjs-x/no-ignored-default-value': 'off',
      // `new Promise<void>((done) => …)` and empty callbacks are how tests wait and stub.
      '@typescript-eslint/no-empty-function': 'off',
      // A test's subscription ends with the test; errors surface as unhandled and fail the run.
      'rxjs-x/no-ignored-error': 'off',
      // Fake sources are Subjects the test drives itself.
      'rxjs-x/no-exposed-subjects': 'off',
      // The outcome of a throwing callback is what such tests are about.
      'rxjs-x/throw-error': 'off',
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    // Scripts outside the TypeScript project: syntax rules only.
    files: ['**/*.{js,mjs,cjs}'],
    extends: [tseslint.configs.strict],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
