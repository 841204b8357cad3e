import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import type { LoadedPipeline } from '../../src/config/load.js';

const SECRET = 'hunter2-hunter2';

const env: Record<string, string> = {
  OUT: 'out/a.ndjson',
  N: '250',
  HALF: '0.5',
  YES: 'true',
  EMPTY: '',
  SECRET,
  NESTED: '${OUT}',
  LIST: '[a, b]',
};

const environment = {
  env,
  cwd: '/work',
  readSecret: (path: string): string => {
    if (path === '/run/secrets/x') return `${SECRET}\n`;
    throw Object.assign(new Error(`ENOENT: ${path}, and perhaps ${SECRET}`), { code: 'ENOENT' });
  },
};

function load(text: string): LoadedPipeline {
  return loadConfig(text, 'app.yaml', environment).pipelines[0]!;
}

function messages(text: string): string[] {
  try {
    loadConfig(text, 'app.yaml', environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

/** A pipeline that sets one field, and what became of the field. */
function field(written: string): { readonly value: unknown; readonly shown: unknown } {
  const { config, shown } = load(
    `source: { stdin: {} }\nstages:\n  - fields:\n      set:\n        x: ${written}\nroutes: [{ to: { console: {} } }]\n`,
  );
  const of = (stages: unknown): unknown => (stages as { fields: { set: { x: unknown } } }[])[0]!.fields.set.x;
  return { value: of(config.stages), shown: of(shown.stages) };
}

describe('substitution', () => {
  it.each([
    ['${OUT}', 'out/a.ndjson'],
    ['a-${N}-${OUT}!', 'a-250-out/a.ndjson!'],
    ['${N}', 250],
    ['"${N}"', '250'],
    ["'${N}'", '250'],
    ['${N}0', '2500'],
    ['${HALF}', 0.5],
    ['${YES}', true],
    ['${NO:-false}', false],
    ['${NO:-1000}', 1000],
    ['!!str ${N}', '250'],
    ['${NO:-some text}', 'some text'],
    ['"${NO:-}"', ''],
    ['"${EMPTY}"', ''],
    ['${EMPTY:-x}', 'x'],
    ['${NO:-a:-b}', 'a:-b'],
    ['${file:/run/secrets/x}', SECRET],
    ['$${OUT}', '${OUT}'],
    ['$$${OUT}', '$${OUT}'],
    ['$OUT and $', '$OUT and $'],
    ['${NESTED}', '${OUT}'],
    ['${LIST}', '[a, b]'],
  ])('%s', (written, value) => {
    expect(field(written).value).toBe(value);
  });

  it('works unquoted in flow mappings and lists, where braces are YAML', () => {
    const { config, shown } = load(
      'source: { tail: { paths: [${A:-a,b}, ${OUT}], maxLineBytes: ${N} } }\nroutes: [{ to: { file: { path: ${OUT} } } }]\n',
    );
    expect(config.source).toMatchObject({ tail: { paths: ['a,b', 'out/a.ndjson'], maxLineBytes: 250 } });
    expect(config.routes[0]!.to).toEqual({ file: { path: 'out/a.ndjson', format: 'json' } });
    expect(shown.source).toMatchObject({ tail: { paths: ['${A:-a,b}', '${OUT}'], maxLineBytes: '${N}' } });
  });

  it('does not take two quoted texts for one reference', () => {
    const { config } = load('source: { stdin: { fields: { a: "$${", b: "}" } } }\nroutes: [{ to: { console: {} } }]\n');
    expect(config.source).toMatchObject({ stdin: { fields: { a: '${', b: '}' } } });
  });

  it('works in block scalars', () => {
    expect(field('>-\n          a ${N}\n          b').value).toBe('a 250 b');
  });

  it('leaves the shown pipeline as it was written, defaults and all', () => {
    const { config, shown } = load(
      'name: "p${N}"\nsource: { tail: { paths: "${OUT}" } }\nroutes: [{ to: { file: { path: "${file:/run/secrets/x}" } } }]\n',
    );
    expect(config.checkpoint.path).toBe('data/p250.checkpoint');
    expect(shown).toMatchObject({
      name: 'p${N}',
      source: { tail: { paths: ['${OUT}'], from: 'beginning' } },
      checkpoint: { path: 'data/p${N}.checkpoint', everyMs: 1000 },
      routes: [{ name: 'route1', to: { file: { path: '${file:/run/secrets/x}', format: 'json' } } }],
    });
    expect(JSON.stringify(shown)).not.toContain(SECRET);
  });

  it('reports what cannot be resolved, at its place, and nothing that follows from it', () => {
    const faults = messages(`source:
  tail:
    paths: ["\${A} \${B}", "\${file:/nowhere}"]
    maxLineBytes: \${constructor}
    from: "\${1A}"
    onLongLine: "\${"
    fields: { a: "\${A:-\${OUT}}", b: "\${N:250}", c: "\${file:}" }
routes: [{ to: { file: { path: "\${A}" } } }]
deadLetter: { file: { path: "\${A}" } }
`);
    const forms = 'expected ${NAME}, ${NAME:-default} or ${file:/path}; $${ is a literal ${';
    expect(faults).toEqual([
      'app.yaml:3:13: source.tail.paths[0]: expected the environment variable A to be set',
      'app.yaml:3:13: source.tail.paths[0]: expected the environment variable B to be set',
      'app.yaml:3:26: source.tail.paths[1]: expected the file /nowhere to be readable (ENOENT)',
      'app.yaml:4:19: source.tail.maxLineBytes: expected the environment variable constructor to be set',
      `app.yaml:5:11: source.tail.from: ${forms}`,
      `app.yaml:6:17: source.tail.onLongLine: ${forms}`,
      `app.yaml:7:18: source.tail.fields.a: ${forms}`,
      `app.yaml:7:37: source.tail.fields.b: ${forms}`,
      `app.yaml:7:52: source.tail.fields.c: ${forms}`,
      'app.yaml:8:32: routes[0].to.file.path: expected the environment variable A to be set',
      'app.yaml:9:29: deadLetter.file.path: expected the environment variable A to be set',
    ]);
  });

  it('says so when a number came where a string was wanted', () => {
    expect(messages('name: ${N}\nsource: { stdin: {} }\nroutes: [{ to: { console: {} } }]\n')).toEqual([
      'app.yaml:1:7: name: expected a string, got a substituted value that is no string (quotes keep it one)',
    ]);
  });
});

describe('secrets', () => {
  const places = [
    'name: "%"',
    'source: "%"',
    'source: { tail: { paths: [a], from: "%" } }',
    'source: { tail: { paths: [a], maxLineBytes: "%" } }',
    'source: { generator: { format: "%" } }',
    'checkpoint: "%"',
    'checkpoint: { everyMs: "%" }',
    'stages: "%"',
    'stages: ["%"]',
    'stages: [{ parse: "%" }]',
    'stages: [{ parse: { format: "%" } }]',
    'stages: [{ parse: { format: regex, pattern: "%" } }]',
    'stages: [{ parse: { format: regex, pattern: "(%" } }]',
    'stages: [{ parse: { format: delimited, fields: ["%", "%"] } }]',
    'stages: [{ keep: { level: "%" } }]',
    'stages: [{ keep: { level: [ERROR, "%"] } }]',
    'stages: [{ keep: { field: a, matches: "(?<%" } }]',
    'stages: [{ keep: { field: a, exists: "%" } }]',
    'stages: [{ normalize: { timeZone: "%" } }]',
    'stages: [{ fields: "%" }]',
    'routes: "%"',
    'routes: [{ to: "%" }]',
    'routes: [{ name: "/%", to: { console: {} } }]',
    'routes: [{ to: [{ file: { path: "%" } }, { file: { path: "%" } }] }]',
    'routes: [{ name: "%", to: { console: {} } }, { name: "%", to: { console: {} } }]',
    'deadLetter: { console: { format: "%" } }',
    'budgetBytes: "%"',
    'maxDeadLetterRatio: "%"',
  ];

  it.each(places)('%s never shows one', (place) => {
    for (const reference of ['${SECRET}', '${file:/run/secrets/x}', `\${NO:-${SECRET}}`, '/${SECRET}/${SECRET}(']) {
      const faults = messages(`${place.replaceAll('%', reference)}\n`);
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.join('\n')).not.toContain('hunter2');
    }
  });

  it('whatever they are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.stringMatching(/^[A-Z0-9%()[\]{}*?|]{5,60}$/), (place, secret) => {
        const text = `${place.replaceAll('%', '${file:/s}')}\n`;
        try {
          loadConfig(text, 'app.yaml', { env: {}, cwd: '/', readSecret: () => secret });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect(String(error)).not.toContain(secret);
        }
      }),
    );
  });
});
