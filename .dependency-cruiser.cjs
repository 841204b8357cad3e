// The import arrows of the design: data flows left to right, service may see everything, only the ways in see service.
const arrow = (from, ...to) => ({
  name: `${from}-imports-${to.length > 0 ? to.join('-') : 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: `^src/(${[from, ...to].join('|')})/` },
});

// Declared options are data for the configuration's schema, so they may use its validation library.
const options = [
  '^src/(sources|sinks|operators)/options[.]ts$',
  '^src/(sources|sinks|operators)/.*/options[.]ts$',
  '^src/operators/options/',
];
// The package's entries beside index.ts: what they export needs more than rxjs.
const entries = 'kafka|elasticsearch|tail|duckdb|local';
const pure = '^src/(model|operators|flow)/';
const thirdParty = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    arrow('model'),
    arrow('operators', 'model'),
    arrow('sources', 'model', 'operators'),
    {
      ...arrow('sinks', 'model', 'operators'),
      // A source and a sink of the same kind declare what they share once.
      to: { path: '^src/', pathNot: ['^src/(sinks|model|operators)/', '^src/sources/.*/options[.]ts$'] },
    },
    arrow('stores', 'model', 'operators'),
    arrow('flow', 'model', 'operators'),
    arrow('dashboard', 'model'),
    arrow('testing', 'model', 'operators', 'flow'),
    {
      name: 'config-imports-model-and-declared-options',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: ['^src/(config|model)/', ...options] },
    },
    {
      name: 'main-imports-service-config',
      severity: 'error',
      from: { path: '^src/main[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(service|config)/' },
    },
    {
      name: 'pure-entries-import-model-operators-flow',
      severity: 'error',
      from: { path: '^src/(index|stages|flow)[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(model|operators|flow)/' },
    },
    {
      name: 'entries-import-components-and-their-ports',
      comment: 'What a component is called from outside, and the real client it gets there.',
      severity: 'error',
      from: { path: `^src/(${entries})[.]ts$` },
      to: {
        path: '^src/',
        pathNot:
          '^src/(model|sources|sinks|stores)/|^src/service/(resources/|kafka/(kafka-client|schema-registry)|node-files)',
      },
    },
    {
      name: 'entries-are-not-imported',
      comment: 'main.ts, index.ts and the further entries are ways in, not modules to build on; testing is for tests.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: `^src/((main|index|stages|flow|${entries})[.]ts$|testing/)` },
    },
    {
      name: 'testing-imports-rxjs-only',
      comment: 'So it works with any test runner.',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { dependencyTypes: thirdParty, pathNot: '(^|/)node_modules/rxjs/' },
    },
    {
      name: 'pure-imports-rxjs-only',
      severity: 'error',
      from: { path: pure, pathNot: options },
      to: { dependencyTypes: thirdParty, pathNot: '(^|/)node_modules/rxjs/' },
    },
    {
      name: 'options-import-zod-only',
      severity: 'error',
      from: { path: options },
      to: { dependencyTypes: thirdParty, pathNot: '(^|/)node_modules/(rxjs|zod)/' },
    },
    {
      name: 'pure-imports-no-node-module',
      severity: 'error',
      from: { path: pure },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'model-imports-types-of-rxjs-only',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { path: '(^|/)node_modules/rxjs/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'importing-millrace-loads-rxjs-alone',
      severity: 'error',
      from: { path: '^src/(index|stages|flow)[.]ts$' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(rxjs|tslib)/', reachable: true },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-import-of-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|marble-tests|dist)/' },
    },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      from: { path: '^src/' },
      // An optional peer stands in peerDependenciesMeta as well, which counts as no declaration.
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'undetermined', 'unknown'],
        dependencyTypesNot: ['npm-peer'],
      },
    },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional', 'type-only'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Type-only imports are arrows too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
