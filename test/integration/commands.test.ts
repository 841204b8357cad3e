import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Ended } from './harness.js';
import { exampleConfig, linesOf, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const FAULTY = `name: app logs
source:
  tail: { path: ["logs/*.log"], from: start }
`;

describe('check', () => {
  it('says that all is well', async () => {
    const second = exampleConfig().replaceAll('app-logs', 'other').replaceAll('out/', 'other/');
    place().write('pipeline.yaml', `${exampleConfig()}---\n${second}`);
    const ended = await place().run(['check', 'pipeline.yaml']);
    expect(ended).toMatchObject({ code: 0, stdout: 'app-logs: fine\nother: fine\n', stderr: '' });
  });

  it('tells every fault of every file at once', async () => {
    place().write('one.yaml', FAULTY);
    place().write('two.yaml', 'source: [\n');
    place().mkdir('three.yaml');
    const { code, stdout, stderr } = await place().run(['check', 'one.yaml', 'two.yaml', 'three.yaml', 'four.yaml']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => /^one\.yaml:\d+:\d+: /.test(line)).length).toBeGreaterThan(3);
    expect(lines.filter((line) => /^two\.yaml:\d+:\d+: /.test(line))).toHaveLength(1);
    expect(lines.slice(-2)).toEqual([
      'three.yaml: it is a folder, expected a file',
      'four.yaml: there is no such file',
    ]);
  });

  it('finds what two files would both write to', async () => {
    place().write('one.yaml', exampleConfig());
    place().write('two.yaml', exampleConfig());
    const { code, stderr } = await place().run(['check', 'one.yaml', 'two.yaml']);
    expect(code).toBe(1);
    expect(stderr).toContain('two.yaml: name: expected a name of its own: one.yaml has the same');
  });

  it('finds two pipelines of two files that write one output', async () => {
    place().write('one.yaml', exampleConfig());
    place().write('two.yaml', exampleConfig().replaceAll('app-logs', 'other'));
    const { code, stderr } = await place().run(['check', 'one.yaml', 'two.yaml']);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('two.yaml: route problems: expected a file that nothing else writes');
  });
});

const SECRET = 'hunter2';

describe('graph', () => {
  it.each([
    [[], 'flowchart LR'],
    [['--ascii'], 'tail: logs/*.log → parse: delimited → normalize'],
  ])('draws the pipeline, without secrets %j', async (flags, said) => {
    place().write('key', `${SECRET}\n`);
    place().write(
      'pipeline.yaml',
      exampleConfig({ 'log_type: app': 'a: "${KEY}", b: "${file:key}"', 'out/problems': 'out/${KEY}' }),
    );
    const { code, stdout, stderr } = await place().run(['graph', 'pipeline.yaml', ...flags], { env: { KEY: SECRET } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(said);
    expect(stdout).toContain('problems');
    expect(stdout).toContain('file: out/dead.ndjson');
    expect(stdout).toContain('${KEY}');
    expect(stdout).not.toContain(SECRET);
  });

  it('tells no secret in a fault, either', async () => {
    place().write('pipeline.yaml', exampleConfig({ 'from: beginning': 'from: "${KEY}"' }));
    for (const command of ['graph', 'check', 'run']) {
      const { code, stdout, stderr } = await place().run([command, 'pipeline.yaml'], { env: { KEY: SECRET } });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^pipeline\.yaml:3:\d+: source\.tail\.from: /);
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });
});

describe('schema', () => {
  it('is a JSON Schema that takes the example, and not a faulty one', async () => {
    const { code, stdout } = await place().run(['schema']);
    expect(code).toBe(0);
    const schema = JSON.parse(stdout) as Parameters<typeof z.fromJSONSchema>[0] & { properties: object };
    expect(schema).toMatchObject({ $schema: expect.stringContaining('json-schema.org') as unknown, type: 'object' });
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['name', 'source', 'checkpoint', 'stages', 'routes', 'deadLetter', 'drainDeadlineMs']),
    );
    const example = {
      name: 'app-logs',
      source: { tail: { paths: ['logs/*.log'], from: 'beginning', fields: { log_type: 'app' } } },
      checkpoint: { path: 'data/app-logs.checkpoint' },
      stages: [
        { parse: { format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] } },
        { normalize: {} },
      ],
      routes: [
        { name: 'problems', stages: [{ keep: { level: ['ERROR', 'WARN'] } }], to: { file: { path: 'out/p.ndjson' } } },
      ],
      deadLetter: { file: { path: 'out/dead.ndjson' } },
    };
    const reader = z.fromJSONSchema(schema);
    expect(reader.safeParse(example).error).toBeUndefined();
    expect(reader.safeParse({ ...example, routes: undefined }).success).toBe(false);
    expect(reader.safeParse({ ...example, route: [] }).success).toBe(false);
    expect(reader.safeParse({ ...example, source: { tail: { path: 'x' } } }).success).toBe(false);
  });
});

const withoutTimes = (log: string): string => log.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T');

describe('generate', () => {
  it('makes the same lines of the same seed', async () => {
    const make = (seed: string): Promise<Ended> => place().run(['generate', '--count', '300', '--seed', seed]);
    const [one, same, other] = await Promise.all([make('7'), make('7'), make('8')]);
    expect(one.stdout.split('\n')).toHaveLength(301);
    expect(withoutTimes(same.stdout)).toBe(withoutTimes(one.stdout));
    expect(withoutTimes(other.stdout)).not.toBe(withoutTimes(one.stdout));
  });

  it.each([
    ['delimited', /^\d{4}-[^|]+\|[A-Z]+\|./],
    ['json', /^\{"time":.*\}$/],
    ['apache', /^\S+ .*\[.*\] "[A-Z]+ .*" \d{3} /],
  ])('--format %s', async (format, pattern) => {
    const { code, stdout } = await place().run(['generate', '--count', '200', '--format', format, '--no-anomaly']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => pattern.test(line)).length).toBeGreaterThan(150);
  });

  it('--rate keeps to the rate until it is stopped, and its log is what a pipeline reads', async () => {
    place().mkdir('logs');
    const running = place().start(['generate', '--rate', '200', '--out', 'logs/app.log']);
    await until('some lines', () => linesOf(place().path('logs/app.log')).length >= 100);
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    place().write('pipeline.yaml', exampleConfig());
    const { summary } = await place().once();
    expect(summary.read).toBe(readFileSync(place().path('logs/app.log'), 'utf8').split('\n').length - 1);
    expect(summary.delivered).toBeGreaterThan(0);
  });
});

describe('tail', () => {
  it('shows what is there and what is added, and ends with 0', async () => {
    const log = place().write('app.log', '2026-03-09T10:11:12Z|INFO|quiet\n2026-03-09T10:11:13Z|ERROR|loud\n');
    const running = place().start(['tail', 'app.log', '--level', 'ERROR']);
    await until(running.stderr, () => running.stdout().includes('loud'));
    place().append(log, '2026-03-09T10:11:14Z|ERROR|louder\n');
    await until(running.stderr, () => running.stdout().includes('louder'));
    running.kill('SIGINT');
    const { code, stdout } = await within(3000, 'the end', running.ended);
    expect(code).toBe(0);
    expect(stdout).not.toContain('quiet');
  });
});

describe('the command line', () => {
  it.each([['schema'], ['help'], ['graph', 'pipeline.yaml'], ['generate', '--count', '10']])(
    'nobody reads what %s prints: no stack trace',
    async (...args) => {
      place().write('pipeline.yaml', exampleConfig());
      const running = place().start(args);
      running.closeStdout();
      const { stderr } = await within(20_000, 'the end', running.ended);
      expect(stderr).not.toContain('EPIPE');
    },
  );

  it.each([
    ['run', ['run', '--onse']],
    ['run', ['--verbose', 'pipeline.yaml']],
    ['check', ['check']],
    ['check', ['check', '--strict', 'pipeline.yaml']],
    ['graph', ['graph', '--svg', 'pipeline.yaml']],
    ['graph', ['graph']],
    ['schema', ['schema', 'more']],
    ['generate', ['generate', '--fast']],
    ['tail', ['tail', '--follow', 'app.log']],
    ['check', ['chekc', 'pipeline.yaml']],
  ])('%s: what it does not know ends with 1 and the usage: %j', async (command, args) => {
    place().write('pipeline.yaml', exampleConfig());
    const { code, stdout, stderr } = await place().run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n').length).toBeGreaterThan(1);
    expect(stderr.toLowerCase()).toContain('usage:');
    expect(stderr).toMatch(new RegExp(`millrace \\[?${command}`));
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    ['--help'],
    ['-h'],
    ['help'],
    ['run', '--help'],
    ['check', '-h'],
    ['graph', '--help'],
    ['schema', '--help'],
  ])('%s %s: the usage', async (...args) => {
    const { code, stdout, stderr } = await place().run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['run', 'tail', 'check', 'graph', 'generate', 'schema']) {
      expect(stdout).toMatch(new RegExp(`millrace \\[?${command}`));
    }
  });
});
