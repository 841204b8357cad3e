import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import type { Counts, Running } from './harness.js';
import { exampleConfig, linesOf, ndjson, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const LOG = `2026-03-09T10:11:12.345Z|INFO|started
2026-03-09T12:11:13+02:00| error |disk full: a|b | c
no separator here

2026-03-09 10:11:14|Warning|three
yesterday|WARN|four
2026-03-09T10:11:15Z|LOUD|five
2026-03-09T10:11:16Z|DEBUG|six
`;

function balance({ delivered, filtered, deadLettered, duplicates }: Counts): number {
  return delivered + filtered + deadLettered + duplicates;
}

describe('run --once', () => {
  it("writes what the contract's example promises, and says what became of each record", async () => {
    place().write('pipeline.yaml', exampleConfig());
    const log = place().write('logs/app.log', LOG);
    const { code, stdout, stderr, summary } = await place().once();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(summary).toEqual({
      read: 8,
      expanded: 0,
      filtered: 4,
      delivered: 3,
      deadLettered: 1,
      duplicates: 0,
      seconds: expect.any(Number),
    });
    expect(balance(summary)).toBe(summary.read + summary.expanded);

    const events = ndjson(place().path('out/problems.ndjson'));
    const incarnation = String(events[0]?.['event.id']).split(':')[0]!;
    const offset = (text: string): number => Buffer.from(LOG).indexOf(text);
    const always = { log_type: 'app', 'log.file.path': log };
    expect(events).toEqual([
      {
        ...always,
        '@timestamp': '2026-03-09T10:11:13.000Z',
        'log.level': 'error',
        'event.severity': 17,
        message: 'disk full: a|b | c',
        'event.id': `${incarnation}:${offset('2026-03-09T12')}`,
      },
      {
        ...always,
        '@timestamp': '2026-03-09T10:11:14.000Z',
        'log.level': 'Warning',
        'event.severity': 13,
        message: 'three',
        'event.id': `${incarnation}:${offset('2026-03-09 10')}`,
      },
      {
        ...always,
        time: 'yesterday',
        'log.level': 'WARN',
        'event.severity': 13,
        message: 'four',
        'event.id': `${incarnation}:${offset('yesterday')}`,
      },
    ]);
    expect(ndjson(place().path('out/dead.ndjson'))).toEqual([
      {
        ...always,
        'error.code': 'MILLRACE_E_PARSE_FIELDS',
        'error.message': expect.stringContaining('fewer fields'),
        'event.original': 'no separator here',
        'log.offset': offset('no separator'),
        'event.id': `${incarnation}:${offset('no separator')}`,
      },
    ]);
  });

  it('keeps an unknown level as it was', async () => {
    place().write('pipeline.yaml', exampleConfig({ 'level: [ERROR, WARN]': 'field: level, equals: LOUD' }));
    place().write('logs/app.log', LOG);
    await place().once();
    const [event, ...more] = ndjson(place().path('out/problems.ndjson'));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ '@timestamp': '2026-03-09T10:11:15.000Z', level: 'LOUD', message: 'five' });
    expect(Object.keys(event!)).not.toContain('event.severity');
    expect(Object.keys(event!)).not.toContain('log.level');
  });

  it('counts each leg of several routes, and the legs together', async () => {
    place().write(
      'pipeline.yaml',
      exampleConfig({
        'deadLetter:': `  - name: all
    to: [{ file: { path: out/all-1.ndjson } }, { file: { path: out/all-2.log, format: raw } }]
deadLetter:`,
      }),
    );
    place().write('logs/app.log', LOG);
    const { summary } = await place().once();
    const { legs, seconds: _, ...sums } = summary;
    const all = { read: 8, expanded: 0, filtered: 1, delivered: 6, deadLettered: 1, duplicates: 0 };
    expect(legs).toEqual({ problems: { ...all, filtered: 4, delivered: 3 }, 'all/1': all, 'all/2': all });
    expect(sums).toEqual({ read: 8, expanded: 0, filtered: 6, delivered: 15, deadLettered: 1, duplicates: 0 });
    for (const leg of Object.values(legs!)) expect(balance(leg)).toBe(leg.read + leg.expanded);
    expect(ndjson(place().path('out/all-1.ndjson'))).toHaveLength(6);
    expect(linesOf(place().path('out/all-2.log'))).toEqual([
      'started',
      'disk full: a|b | c',
      'three',
      'four',
      'five',
      'six',
    ]);
  });

  it('runs several pipelines of one file, and of several files', async () => {
    const second = exampleConfig()
      .replaceAll('app-logs', 'other')
      .replaceAll('out/', 'other/')
      .replace('logs/*', 'more/*');
    place().write('pipeline.yaml', `${exampleConfig()}---\n${second}`);
    place().write('third.yaml', second.replaceAll('other', 'third'));
    place().write('logs/app.log', LOG);
    place().write('more/app.log', LOG + LOG);
    const { summary } = await place().once();
    expect(summary).toMatchObject({
      read: 24,
      filtered: 12,
      delivered: 9,
      deadLettered: 3,
      duplicates: 0,
      expanded: 0,
    });
    expect(Object.keys(summary.pipelines!)).toEqual(['app-logs', 'other']);
    expect(summary.pipelines!['other']).toMatchObject({ read: 16, delivered: 6 });
    const { code, stdout } = await place().run(['run', '--once', 'pipeline.yaml', 'third.yaml']);
    expect(code).toBe(0);
    expect(Object.keys((JSON.parse(stdout) as { pipelines: object }).pipelines)).toEqual([
      'app-logs',
      'other',
      'third',
    ]);
  });

  it('reads 0 and ends with 0 when no file matches', async () => {
    place().write('pipeline.yaml', exampleConfig());
    const { code, stderr, summary } = await place().once();
    expect({ code, read: summary.read }).toEqual({ code: 0, read: 0 });
    expect(stderr).toContain('no file matches');
  });

  it('takes a last line without its end for a line', async () => {
    place().write('pipeline.yaml', exampleConfig());
    place().write('logs/app.log', 'now|ERROR|one\nnow|ERROR|two');
    expect((await place().once()).summary).toMatchObject({ read: 2, delivered: 2 });
    expect(ndjson(place().path('out/problems.ndjson')).map(({ message }) => message)).toEqual(['one', 'two']);
  });

  it('reads nothing twice, and then only what was added; what is in the output stays', async () => {
    place().write('pipeline.yaml', exampleConfig());
    place().write('out/problems.ndjson', '{"mine":1}\n{"unfinished":');
    const log = place().write('logs/app.log', LOG);
    await place().once();
    expect((await place().once()).summary).toMatchObject({ read: 0, delivered: 0, deadLettered: 0, duplicates: 0 });
    appendFileSync(log, 'now|ERROR|added\n');
    place().write('logs/new.log', 'now|WARN|in a new file\n');
    expect((await place().once()).summary).toMatchObject({ read: 2, delivered: 2 });
    const [mine, unfinished, ...lines] = linesOf(place().path('out/problems.ndjson'));
    expect([mine, unfinished]).toEqual(['{"mine":1}', '{"unfinished":']);
    const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages).toEqual(['disk full: a|b | c', 'three', 'four', 'added', 'in a new file']);
  });

  it('writes what is not UTF-8 into the dead letters in base64', async () => {
    place().write('pipeline.yaml', exampleConfig());
    const bytes = Buffer.from('gr\xfc\xdfe ohne Felder', 'latin1');
    place().write('logs/app.log', Buffer.concat([Buffer.from('a|INFO|b\n'), bytes, Buffer.from('\n')]));
    expect((await place().once()).summary).toMatchObject({ read: 2, deadLettered: 1 });
    const [letter] = ndjson(place().path('out/dead.ndjson'));
    expect(letter).toMatchObject({ 'event.original_base64': bytes.toString('base64'), 'log.offset': 9 });
    expect(letter).not.toHaveProperty(['event.original']);
  });

  it('keeps dead letters beside the checkpoint when nothing else is said', async () => {
    place().write('pipeline.yaml', exampleConfig({ 'deadLetter:\n  file: { path: out/dead.ndjson }\n': '' }));
    place().write('logs/app.log', LOG);
    await place().once();
    expect(ndjson(place().path('data/app-logs.dead.ndjson'))).toHaveLength(1);
  });

  it('from: end leaves what is there at the first start, but nothing that comes later', async () => {
    place().write('pipeline.yaml', exampleConfig({ 'from: beginning': 'from: end' }));
    const log = place().write('logs/app.log', LOG);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
    appendFileSync(log, 'now|ERROR|added\n');
    place().write('logs/new.log', 'now|WARN|in a new file\n');
    expect((await place().once()).summary).toMatchObject({ read: 2, delivered: 2 });
  });

  it('reads the standard input, and writes lines as they were', async () => {
    const config = `source: { stdin: {} }
routes: [{ to: { file: { path: out.log, format: raw } } }]`;
    place().write('pipeline.yaml', config);
    const lines = Array.from({ length: 50_000 }, (_, n) => `line ${n} of größeren\n`).join('');
    const { summary } = await place().once('pipeline.yaml', { stdin: lines });
    expect(summary).toMatchObject({ read: 50_000, delivered: 50_000 });
    expect(readFileSync(place().path('out.log'), 'utf8')).toBe(lines);
    // Without --once it ends with its input, too.
    expect(await place().run(['run', 'pipeline.yaml'], { stdin: 'one more' })).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(place().path('out.log'), 'utf8')).toBe(`${lines}one more\n`);
  });

  it('shows events on the standard output when asked to, above the summary', async () => {
    const config = exampleConfig({ 'file: { path: out/problems.ndjson }': 'console: { format: json }' });
    place().write('pipeline.yaml', config);
    place().write('logs/app.log', LOG);
    const { stdout, summary } = await place().once();
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(0, -1).map(({ message }) => message)).toEqual(['disk full: a|b | c', 'three', 'four']);
    expect(lines.at(-1)).toEqual(summary);
  });
});

describe('run --once, when it cannot', () => {
  it('ends with 2 when a sink cannot be opened within startDeadlineMs', async () => {
    place().write('a-file', 'in the way');
    const config = `startDeadlineMs: 700\n${exampleConfig({ 'out/problems.ndjson': 'a-file/problems.ndjson' })}`;
    place().write('pipeline.yaml', config);
    place().write('logs/app.log', LOG);
    const { code, stderr, summary } = await place().once();
    expect({ code, read: summary.read }).toEqual({ code: 2, read: 0 });
    expect(stderr).toContain('a-file');
    expect(stderr).toContain('MILLRACE_E_FLOW_START_DEADLINE');
    expect(summary.seconds).toBeGreaterThan(0.6);
    expect(summary.seconds).toBeLessThan(5);
  });

  it('ends with 2 when the dead letters or the checkpoint have no place', async () => {
    place().write('a-file', 'in the way');
    place().write('dead.yaml', `startDeadlineMs: 300\n${exampleConfig({ 'out/dead': 'a-file/dead' })}`);
    place().write('logs/app.log', LOG);
    expect(await place().run(['run', '--once', 'dead.yaml'])).toMatchObject({ code: 2 });
    place().write('saved.yaml', `startDeadlineMs: 300\n${exampleConfig({ 'data/app-logs': 'a-file/app-logs' })}`);
    const { code, stderr, summary } = await place().once('saved.yaml');
    expect(code, stderr).toBe(2);
    expect(summary).toMatchObject({ read: 0, delivered: 0 });
    expect(stderr).toContain('a-file');
  });

  it('ends with 1 and tells every fault at once, each with its place', async () => {
    place().write(
      'pipeline.yaml',
      `name: app logs
source:
  tail: { path: ["logs/*.log"], from: start }
stages:
  - parze: { format: json }
routes:
  - to: { file: {} }
`,
    );
    const { code, stdout, stderr } = await place().run(['run', 'pipeline.yaml']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const places = ['1:7', '3:3', '3:11', '3:39', '5:5', '7:11'].map((at): unknown =>
      expect.stringContaining(`pipeline.yaml:${at}: `),
    );
    expect(stderr.trimEnd().split('\n')).toEqual(expect.arrayContaining(places));
    expect(stderr).toContain('parse');
    expect(existsSync(place().path('data'))).toBe(false);
  });

  it('ends with 1 when there is no such configuration', async () => {
    const { code, stderr } = await place().run(['run', 'nowhere.yaml']);
    expect(code).toBe(1);
    expect(stderr).toContain('nowhere.yaml');
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    ['damaged', '{"version":1,"lanes":{"a', 'move it away'],
    ['empty', '', 'move it away'],
    ['incomplete', '{"version":1}', 'move it away'],
    ['of a later version', '{"version":99,"lanes":{},"sinks":{}}', '99'],
  ])('ends with 1 when the checkpoint is %s, and leaves everything as it is', async (_, content, said) => {
    place().write('pipeline.yaml', exampleConfig());
    place().write('logs/app.log', LOG);
    place().write('out/problems.ndjson', 'mine\n');
    const checkpoint = place().write('data/app-logs.checkpoint', content);
    for (const args of [
      ['run', '--once', 'pipeline.yaml'],
      ['run', 'pipeline.yaml'],
    ]) {
      const { code, stderr } = await place().run(args);
      expect(code).toBe(1);
      expect(stderr).toContain(checkpoint);
      expect(stderr).toContain(said);
    }
    expect(readFileSync(checkpoint, 'utf8')).toBe(content);
    expect(readFileSync(place().path('out/problems.ndjson'), 'utf8')).toBe('mine\n');
  });
});

/** A service on the example, when it has delivered what is there. */
async function service(config = exampleConfig()): Promise<Running> {
  place().write('pipeline.yaml', config);
  place().write('logs/app.log', LOG);
  const running = place().start(['run', 'pipeline.yaml']);
  await until(running.stderr, () => linesOf(place().path('out/problems.ndjson')).length === 3);
  return running;
}

describe('the service', () => {
  it('refuses a second process on the same checkpoint, with the pid of the first', async () => {
    const first = await service();
    for (const args of [['pipeline.yaml'], ['run', '--once', 'pipeline.yaml']]) {
      const { code, stderr } = await place().run(args);
      expect(code).toBe(1);
      expect(stderr).toContain(`pid ${first.pid}`);
    }
    // It has not noticed.
    appendFileSync(place().path('logs/app.log'), 'now|ERROR|more\n');
    await until('the line', () => linesOf(place().path('out/problems.ndjson')).length === 4);
    first.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(existsSync(place().path('data/app-logs.checkpoint.lock'))).toBe(false);
  });

  it('is not kept out by the lock of a process that was killed', async () => {
    const first = await service();
    first.kill('SIGKILL');
    await first.ended;
    const { code, summary } = await place().once();
    expect(code).toBe(0);
    // What the first had not saved is read again.
    expect([0, 3]).toContain(summary.delivered);
    expect(linesOf(place().path('out/problems.ndjson'))).toHaveLength(3);
    expect(linesOf(place().path('out/dead.ndjson'))).toHaveLength(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s: settles everything it has read, and ends with 0', async (signal) => {
    const running = await service();
    const lines = Array.from({ length: 100_000 }, (_, n) => `now|ERROR|line ${n}\n`).join('');
    appendFileSync(place().path('logs/app.log'), lines);
    await until('the first of them', () => linesOf(place().path('out/problems.ndjson')).length > 3);
    running.kill(signal);
    const { code, stdout } = await within(5000, 'the end', running.ended);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const before = ndjson(place().path('out/problems.ndjson')).length;
    const { summary } = await place().once();
    expect(summary).toMatchObject({ read: 100_003 - before, delivered: 100_003 - before, duplicates: 0 });
    const events = ndjson(place().path('out/problems.ndjson'));
    expect(events.slice(3).map(({ message }) => message)).toEqual(
      Array.from({ length: 100_000 }, (_, n) => `line ${n}`),
    );
  });

  it('SIGTERM during the start, before anything is open: ends with 0', async () => {
    place().write('a-file', 'in the way');
    place().write('pipeline.yaml', exampleConfig({ 'out/problems.ndjson': 'a-file/problems.ndjson' }));
    const running = place().start(['run', 'pipeline.yaml']);
    await until('a complaint', () => running.stderr().includes('a-file'));
    running.kill('SIGTERM');
    expect(await within(3000, 'the end', running.ended)).toMatchObject({ code: 0 });
  });

  it('goes on by itself when the place of a sink appears', async () => {
    place().write('out', 'in the way');
    place().write('pipeline.yaml', exampleConfig());
    place().write('logs/app.log', LOG);
    const running = place().start(['run', 'pipeline.yaml']);
    await until('a complaint', () => running.stderr().includes('trying again'));
    rmSync(place().path('out'));
    await until(running.stderr, () => linesOf(place().path('out/problems.ndjson')).length === 3);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it('logs one JSON object a line on stderr', async () => {
    place().write('pipeline.yaml', exampleConfig());
    const running = place().start(['run', 'pipeline.yaml']);
    await until('a word', () => running.stderr().includes('\n'));
    running.kill('SIGTERM');
    const { stderr } = await running.ended;
    for (const line of stderr.trimEnd().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({
        level: 'warn',
        pipeline: 'app-logs',
        timestamp: expect.any(String) as unknown,
      });
    }
  });
});

/** A service that has not enough room on its disk for what it has to write: 1 MiB, most of it taken. */
async function stuckService(context: TestContext, drainDeadlineMs: number): Promise<Running> {
  if (place().mountSmall('out', '1m') === undefined) context.skip('needs the right to mount a file system');
  place().write('out/filler', Buffer.alloc(960 * 1024));
  place().write('pipeline.yaml', `drainDeadlineMs: ${drainDeadlineMs}\n${exampleConfig()}`);
  place().write('logs/app.log', ALL.map((message) => `now|ERROR|${message}\n`).join(''));
  const running = place().start(['run', 'pipeline.yaml']);
  await until(running.stderr, () => running.stderr().includes('MILLRACE_E_FILE_NO_SPACE'));
  return running;
}

const ALL = Array.from({ length: 2000 }, (_, n) => `line ${n}`);

function messages(): unknown[] {
  return ndjson(place().path('out/problems.ndjson')).map(({ message }) => message);
}

describe('a full disk', () => {
  it('goes on when there is room again: every line once, in order', async (context) => {
    const running = await stuckService(context, 5000);
    rmSync(place().path('out/filler'));
    await until(running.stderr, () => linesOf(place().path('out/problems.ndjson')).length >= ALL.length);
    running.kill('SIGTERM');
    expect(await within(10_000, 'the end', running.ended)).toMatchObject({ code: 0 });
    expect(messages()).toEqual(ALL);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });

  it('SIGTERM: ends with 3 after drainDeadlineMs, and nothing is lost after a restart', async (context) => {
    const running = await stuckService(context, 800);
    const began = performance.now();
    running.kill('SIGTERM');
    const { code, stderr } = await within(5000, 'the end', running.ended);
    expect(code).toBe(3);
    expect(performance.now() - began).toBeGreaterThan(700);
    expect(stderr).toContain('MILLRACE_E_FLOW_DRAIN_INCOMPLETE');
    expect(existsSync(place().path('data/app-logs.checkpoint.lock'))).toBe(false);
    rmSync(place().path('out/filler'));
    expect(await place().once()).toMatchObject({ code: 0 });
    expect(messages()).toEqual(ALL);
  });

  it('SIGTERM, and room again before the deadline: everything is settled, and it ends with 0', async (context) => {
    const running = await stuckService(context, 20_000);
    running.kill('SIGTERM');
    await wait(300);
    rmSync(place().path('out/filler'));
    expect(await within(15_000, 'the end', running.ended)).toMatchObject({ code: 0 });
    expect((await place().once()).summary).toMatchObject({ delivered: 0 });
    expect(messages()).toEqual(ALL);
  });

  it('a stop that has to wait says so, and how long; a second signal ends it at once', async (context) => {
    const running = await stuckService(context, 20_000);
    running.kill('SIGTERM');
    await until(running.stderr, () => running.stderr().includes('at most 20 s; a second signal ends it at once'));
    const began = performance.now();
    running.kill('SIGINT');
    const { code } = await within(5000, 'the end', running.ended);
    expect(code).not.toBe(0);
    expect(performance.now() - began).toBeLessThan(1000);
    rmSync(place().path('out/filler'));
    expect(await place().once()).toMatchObject({ code: 0 });
    expect(messages()).toEqual(ALL);
  });

  it('of the checkpoint: goes on when there is room again', async (context) => {
    if (place().mountSmall('data', '64k') === undefined) context.skip('needs the right to mount a file system');
    place().write('data/filler', Buffer.alloc(64 * 1024));
    place().write('pipeline.yaml', exampleConfig());
    place().write('logs/app.log', LOG);
    const running = place().start(['run', 'pipeline.yaml']);
    await until(running.stderr, () => running.stderr().includes('MILLRACE_E_FILE_NO_SPACE'));
    // Before the checkpoint knows of a file nothing of it is delivered.
    expect(linesOf(place().path('out/problems.ndjson'))).toEqual([]);
    rmSync(place().path('data/filler'));
    await until(running.stderr, () => linesOf(place().path('out/problems.ndjson')).length === 3);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });
});
