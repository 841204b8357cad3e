import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import type { LoadedPipeline } from '../../src/config/load.js';
import { jsonSchema, sinksOf } from '../../src/config/schema.js';
import type { Json } from '../../src/model/json.js';
import { CONTRACT_EXAMPLE } from '../contract-example.js';

const environment = {
  env: {},
  cwd: '/work',
  readSecret: (): string => {
    throw new Error('no secrets here');
  },
};

function load(text: string, file = 'config/app.yaml'): readonly LoadedPipeline[] {
  return loadConfig(text, file, environment).pipelines;
}

function one(text: string, file?: string): LoadedPipeline['config'] {
  return load(text, file)[0]!.config;
}

const SMALL = 'source: { stdin: {} }\nroutes: [{ to: { console: {} } }]\n';

describe('loadConfig', () => {
  it("loads the contract's example, with every default", () => {
    expect(load(CONTRACT_EXAMPLE)).toHaveLength(1);
    expect(one(CONTRACT_EXAMPLE)).toEqual({
      name: 'app-logs',
      source: {
        tail: {
          paths: ['logs/*.log'],
          exclude: [],
          from: 'beginning',
          fields: { log_type: 'app' },
          maxLineBytes: 1_048_576,
          onLongLine: 'deadLetter',
          pollMs: 1000,
          encoding: 'utf-8',
          order: 'any',
          maxOpenFiles: 512,
          rotateWaitMs: 1000,
        },
      },
      checkpoint: { path: 'data/app-logs.checkpoint', everyMs: 1000 },
      stages: [
        { parse: { format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] } },
        { normalize: { timeZone: 'UTC' } },
      ],
      routes: [
        {
          name: 'problems',
          stages: [{ keep: { level: ['ERROR', 'WARN'] } }],
          to: { file: { path: 'out/problems.ndjson', format: 'json' } },
        },
      ],
      deadLetter: { file: { path: 'out/dead.ndjson', format: 'json' } },
      startDeadlineMs: 30_000,
      drainDeadlineMs: 30_000,
      budgetBytes: 67_108_864,
      maxDeadLetterRatio: 1,
    });
  });

  it('fills in names, the checkpoint and every default of the smallest pipeline', () => {
    const config = one(SMALL);
    expect(config.name).toBe('app');
    expect(config.checkpoint).toEqual({ path: 'data/app.checkpoint', everyMs: 1000 });
    expect(config.stages).toEqual([]);
    expect(config.routes).toEqual([{ name: 'route1', stages: [], to: { console: { format: 'pretty' } } }]);
    expect(config.source).toEqual({ stdin: { fields: {}, maxLineBytes: 1_048_576, onLongLine: 'deadLetter' } });
    expect(config).not.toHaveProperty('deadLetter');
  });

  it('knows the defaults of the generator and of each stage', () => {
    const config = one(`source: { generator: {} }
stages:
  - parse: { format: delimited, fields: [a] }
  - parse: { format: regex, pattern: "(?<a>.)" }
  - drop: { field: a, exists: false }
  - fields: { set: { x: 1 }, rename: { a: b }, remove: [c] }
routes: [{ to: { console: { format: json } } }]
`);
    expect(config.source).toEqual({
      generator: { rate: 10, seed: 1, format: 'delimited', anomaly: true, fields: {} },
    });
    expect(config.stages).toEqual([
      { parse: { format: 'delimited', separator: '|', fields: ['a'] } },
      { parse: { format: 'regex', pattern: '(?<a>.)', maxInputChars: 32_768 } },
      { drop: { field: 'a', exists: false } },
      { fields: { set: { x: 1 }, rename: { a: 'b' }, remove: ['c'] } },
    ]);
  });

  it('takes one path for a list of one, one sink or a list of sinks, and levels in any case', () => {
    const config = one(`source: { tail: { paths: a.log } }
stages: [{ keep: { minLevel: warning, level: [Error, FATAL, crit] } }]
routes:
  - to: { console: {} }
  - { name: two, to: [{ console: {} }, { file: { path: x, format: raw } }] }
  - to: [{ console: {} }]
`);
    expect(config.source).toMatchObject({ tail: { paths: ['a.log'] } });
    expect(config.routes.map(({ name }) => name)).toEqual(['route1', 'two', 'route3']);
    expect(config.routes.flatMap(sinksOf).map(({ name }) => name)).toEqual(['route1', 'two/1', 'two/2', 'route3/1']);
  });

  it('names further documents after the file, numbered', () => {
    const pipelines = load(`${SMALL}---\nname: other\n${SMALL}---\n${SMALL}`, '/etc/my logs.yml');
    expect(pipelines.map(({ config }) => config.name)).toEqual(['my-logs', 'other', 'my-logs-3']);
    expect(pipelines.map(({ config }) => config.checkpoint.path)).toEqual([
      'data/my-logs.checkpoint',
      'data/other.checkpoint',
      'data/my-logs-3.checkpoint',
    ]);
  });

  it('freezes all of it, and shares nothing between documents', () => {
    const [first, second] = load(`${SMALL}---\n${SMALL}`);
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(first!.config) && frozen(first!.shown)).toBe(true);
    expect(first!.config.stages).not.toBe(second!.config.stages);
  });

  it('follows anchors and aliases, and ignores a byte order mark', () => {
    const config = one(`\uFEFFsource: { stdin: {} }
stages: [&errors { keep: { level: ERROR } }]
routes: [{ stages: [*errors], to: { console: {} } }]
`);
    expect(config.routes[0]!.stages).toEqual(config.stages);
  });

  it('refuses a document that aliases blow up', () => {
    const bomb = Array.from({ length: 30 }, (_, at) =>
      at === 0 ? '- &a0 [x]' : `- &a${at} [${`*a${at - 1}, `.repeat(9)}]`,
    );
    expect(() => load(`source:\n${bomb.map((line) => `  ${line}`).join('\n')}\n`)).toThrow(ConfigError);
  });
});

describe('jsonSchema', () => {
  const properties = (schema: Json | undefined): Record<string, Json> =>
    (schema as { properties: Record<string, Json> }).properties;

  it('is plain JSON with every key, its description and its default', () => {
    const top = properties(jsonSchema());
    expect(JSON.parse(JSON.stringify(jsonSchema()))).toEqual(jsonSchema());
    expect(Object.keys(top)).toEqual([
      'name',
      'source',
      'checkpoint',
      'stages',
      'routes',
      'deadLetter',
      'startDeadlineMs',
      'drainDeadlineMs',
      'budgetBytes',
      'maxDeadLetterRatio',
    ]);
    expect(top['budgetBytes']).toMatchObject({ default: 67_108_864, minimum: 1_048_576, type: 'integer' });
    const source = properties(top['source']);
    expect(Object.keys(source)).toEqual(['tail', 'stdin', 'generator', 'kafka']);
    expect(Object.keys(properties(source['tail'])).sort()).toEqual(
      // prettier-ignore
      ['encoding', 'exclude', 'fields', 'from', 'ignoreOlderThanMs', 'maxLineBytes', 'maxOpenFiles', 'multiline', 'onLongLine', 'order', 'paths', 'pollMs', 'rotateWaitMs'],
    );
    const { items } = top['stages'] as { items: Json };
    expect(Object.keys(properties(items))).toEqual([
      'parse',
      'normalize',
      'keep',
      'drop',
      'fields',
      'sample',
      'dedupe',
      'throttle',
      'redact',
    ]);
    expect(Object.keys(properties(top['deadLetter']))).toEqual(['file', 'console', 'kafka', 'elasticsearch']);
    for (const key of [...Object.values(top), ...Object.values(properties(source['tail']))]) {
      expect(key).toHaveProperty('description');
    }
  });

  it('asks only for what has no default, and for exactly one source', () => {
    expect(jsonSchema()).toMatchObject({ required: ['source', 'routes'], additionalProperties: false });
    expect(properties(jsonSchema())['source']).toMatchObject({ minProperties: 1, maxProperties: 1 });
  });
});
