import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LogEvent } from '../../src/model/event.js';
import { stageOptions } from '../../src/operators/options.js';
import { guessFormat } from '../../src/service/guess-format.js';
import { KNOWN_FORMATS } from '../../src/service/known-formats.js';
import { stageOf } from '../../src/service/stage-of.js';
import { timeReader } from '../../src/service/time-reader.js';

const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };
const origin = { incarnation: 'i', fields: {}, outcome };

/** What the guessed stages make of the lines. */
function read(lines: readonly string[]): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [];
  const [first, second, third, ...rest] = guessFormat(lines).stages.map(stageOf);
  expect(rest).toEqual([]);
  const none = stageOf({ fields: { set: {} } });
  from(lines.map((line, at) => LogEvent.of(origin, { offset: at, text: line })))
    .pipe(first ?? none, second ?? none, third ?? none)
    .subscribe(({ fields }) => events.push(fields));
  return events;
}

/** A line of each style, and what is to come of it. */
const SAMPLES: readonly [name: string, line: string, fields: Record<string, unknown>][] = [
  [
    'web access log (combined or common)',
    '203.0.113.9 - ann [09/Mar/2026:10:11:12 +0100] "GET /a?b=c HTTP/1.1" 404 12 "https://x.example/" "curl/8"',
    {
      '@timestamp': '2026-03-09T09:11:12.000Z',
      message: 'GET /a?b=c HTTP/1.1',
      'source.address': '203.0.113.9',
      'user.name': 'ann',
      'http.response.status_code': '404',
      'user_agent.original': 'curl/8',
    },
  ],
  [
    'web access log (combined or common)',
    '::1 - - [09/Mar/2026:10:11:12 +0000] "POST /a HTTP/2" 204 -',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'http.request.method': 'POST', 'http.response.body.bytes': '-' },
  ],
  [
    'Apache error log',
    '[Mon Mar 09 10:11:12 2026] [error] [client 1.2.3.4] File does not exist: /x',
    {
      '@timestamp': '2026-03-09T10:11:12.000Z',
      'log.level': 'error',
      message: '[client 1.2.3.4] File does not exist: /x',
    },
  ],
  [
    'Apache error log',
    '[Mon Mar 09 10:11:12.123456 2026] [core:warn] [pid 12:tid 34] AH00098: pid file overwritten',
    {
      '@timestamp': '2026-03-09T10:11:12.123Z',
      'log.level': 'warn',
      'process.pid': '12',
      message: 'AH00098: pid file overwritten',
    },
  ],
  [
    'nginx error log',
    '2026/03/09 10:11:12 [crit] 7#8: *9 connect() failed',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'event.severity': 21, message: '*9 connect() failed' },
  ],
  [
    'syslog (RFC 5424)',
    '<34>1 2026-03-09T10:11:12.003Z host.example su 77 ID47 [a@1 k="v"][b@1 k="w]"] it failed [sic]',
    {
      '@timestamp': '2026-03-09T10:11:12.003Z',
      'host.name': 'host.example',
      'service.name': 'su',
      'log.syslog.structured_data': '[a@1 k="v"][b@1 k="w]"]',
      message: 'it failed [sic]',
    },
  ],
  [
    'syslog (RFC 3164)',
    'Mar  9 10:11:12 web1 cron(pam_unix)[456]: session opened: root',
    {
      '@timestamp': expect.stringMatching(/-03-09T10:11:12.000Z$/),
      'host.name': 'web1',
      'service.name': 'cron(pam_unix)',
      'process.pid': '456',
      message: 'session opened: root',
    },
  ],
  [
    'HDFS',
    '260309 101112 148 WARN dfs.DataNode$Xceiver: got exception: blk_-1',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'log.level': 'WARN', message: 'got exception: blk_-1' },
  ],
  [
    'Spark',
    '26/03/09 10:11:12 INFO storage.BlockManager: Found block rdd_2_3 locally',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'log.level': 'INFO', 'log.logger': 'storage.BlockManager' },
  ],
  [
    'glog',
    'W0309 10:11:12.123456    7 server.go:42] slow',
    { '@timestamp': expect.stringContaining('-03-09T10:11:12.123Z'), 'event.severity': 13, message: 'slow' },
  ],
  [
    'OpenStack',
    'nova.log.1 2026-03-09 10:11:12.345 25746 ERROR nova.api [req-1 a b - - -] 10.0.0.1 "GET /v2"',
    { 'log.level': 'ERROR', 'process.pid': '25746', 'http.request.id': 'req-1', message: '10.0.0.1 "GET /v2"' },
  ],
  [
    'Spring Boot',
    '2026-03-09T10:11:12.345Z  INFO 12 --- [shop] [  main] c.s.App      : Started: ok',
    { 'log.level': 'INFO', 'service.name': 'shop', 'process.thread.name': 'main', message: 'Started: ok' },
  ],
  [
    'log4j: time - level [thread] - message',
    '2026-03-09 10:11:12,345 - WARN  [Peer[myid=1]/0:0:2181:Cnx@774] - Interrupted - twice',
    {
      '@timestamp': '2026-03-09T10:11:12.345Z',
      'log.level': 'WARN',
      'process.thread.name': 'Peer[myid=1]/0:0:2181:Cnx@774',
      message: 'Interrupted - twice',
    },
  ],
  [
    'log4j: time level [thread] logger message',
    '2026-03-09 10:11:12,345 ERROR [fetcher [a] #1] org.x.Fetcher: gone: 1',
    {
      'log.level': 'ERROR',
      'process.thread.name': 'fetcher [a] #1',
      'log.logger': 'org.x.Fetcher',
      message: 'gone: 1',
    },
  ],
  [
    'logback: time [thread] level logger - message',
    '2026-03-09 10:11:12.345 [main] INFO  c.shop.App - ready',
    { 'log.level': 'INFO', 'process.thread.name': 'main', 'log.logger': 'c.shop.App', message: 'ready' },
  ],
  [
    'Python logging: time - logger - level - message',
    '2026-03-09 10:11:12,345 - shop.pay - WARNING - late - very',
    { 'event.severity': 13, 'log.logger': 'shop.pay', message: 'late - very' },
  ],
  [
    'Python logging: level:logger:message',
    'CRITICAL:root:no: way',
    { 'event.severity': 21, 'log.logger': 'root', message: 'no: way' },
  ],
  [
    'time level message',
    '[2026-03-09T10:11:12+01:00] [warn]: disk is nearly full',
    { '@timestamp': '2026-03-09T09:11:12.000Z', 'event.severity': 13, message: 'disk is nearly full' },
  ],
  [
    'time level message (date with slashes)',
    '2026/03/09 10:11:12.5 ERROR broken',
    { '@timestamp': '2026-03-09T10:11:12.500Z', 'event.severity': 17, message: 'broken' },
  ],
  ['level message', 'WARN: disk is nearly full', { 'event.severity': 13, message: 'disk is nearly full' }],
  ['time message', '2026-03-09 10:11 hello', { '@timestamp': '2026-03-09T10:11:00.000Z', message: 'hello' }],
  [
    'time message (date with slashes)',
    '2026/03/09 10:11:12 listening on :80',
    { '@timestamp': '2026-03-09T10:11:12.000Z', message: 'listening on :80' },
  ],
  [
    'time, level, message between |',
    ' 2026-03-09T10:11:12Z | Warn | a | b',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'log.level': 'Warn', message: ' a | b' },
  ],
  [
    'time, service.name, level, message between tab',
    '1773051072\tpay\terror\tno answer',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'service.name': 'pay', message: 'no answer' },
  ],
  [
    'time, level, message between ;',
    '09.03.2026 10:11:12,345;INFO;Grüße, zusammen',
    { '@timestamp': '2026-03-09T10:11:12.345Z', 'log.level': 'INFO', message: 'Grüße, zusammen' },
  ],
  [
    'JSON',
    '{"ts":"2026-03-09T10:11:12Z","severity":"error","msg":"no","a":{"b":1}}',
    { '@timestamp': '2026-03-09T10:11:12.000Z', 'log.level': 'error', message: 'no', 'a.b': 1 },
  ],
  [
    'JSON',
    '{"@timestamp":"2026-03-09T10:11:12Z","log.level":"WARN","message":"ecs"}',
    { '@timestamp': '2026-03-09T10:11:12Z', 'event.severity': 13, message: 'ecs' },
  ],
];

describe('guessFormat', () => {
  it.each(SAMPLES)('%s: %s', (name, line, fields) => {
    const lines = [line, line];
    expect(guessFormat(lines)).toMatchObject({ name, share: 1 });
    expect(read(lines)).toEqual([expect.objectContaining(fields), expect.objectContaining(fields)]);
  });

  it('has a sample of every known format', () => {
    const named = SAMPLES.map(([name]) => name);
    expect(KNOWN_FORMATS.filter(({ name }) => !named.includes(name))).toEqual([]);
  });

  it('gives stages that a configuration may have', () => {
    for (const [, line] of SAMPLES) {
      const { stages } = guessFormat([line]);
      expect(stages.map((stage) => stageOptions.parse(stage))).toEqual(stages);
    }
  });

  it('takes lines without a form as they are', () => {
    const plain = { name: 'plain lines', stages: [], share: 1 };
    expect(guessFormat(['hello there', 'General Kenobi'])).toEqual(plain);
    expect(guessFormat([])).toEqual(plain);
    expect(guessFormat(['', ' '])).toEqual(plain);
    expect(guessFormat(['{"cut', '{]', '[1]'])).toEqual(plain);
  });

  it('does not count stack traces and blank lines', () => {
    const head = '2026-03-09 10:11:12,345 ERROR [main] org.x.Y: boom';
    const trace = ['java.lang.IllegalStateException: x', '\tat org.x.Y.z(Y.java:1)', 'Caused by: y', '\t... 3 more'];
    expect(guessFormat([head, ...trace, '', head, ...trace])).toMatchObject({ share: 1 });
  });

  it('prefers what fits most, and the particular when it fits about as well', () => {
    const particular = '2026-03-09 10:11:12,345 INFO [main] org.x.Y: fine';
    const general = '2026-03-09 10:11:12,345 INFO fine';
    const mixed = (generals: number): string[] =>
      Array.from({ length: 100 }, (_, at) => (at < generals ? general : particular));
    expect(guessFormat(mixed(2))).toMatchObject({ name: 'log4j: time level [thread] logger message', share: 0.98 });
    expect(guessFormat(mixed(10))).toMatchObject({ name: 'time level message', share: 1 });
  });

  it('keeps a joined stack trace in the message', () => {
    const text = '2026-03-09 10:11:12,345 ERROR [main] org.x.Y: boom\n\tat z';
    expect(read([text])).toEqual([expect.objectContaining({ message: 'boom\n\tat z' })]);
  });

  it('takes no longer for hostile lines than for others', () => {
    const hostile = ['[', ' ', 'a', '1', '[a', '- [', '"', 'a:', '] ', '<1>1 a a a a a ['].flatMap((piece) =>
      ['', '2026-03-09 10:11:12,345 INFO [', '1.2.3.4 - - [x] "GET '].map(
        (start) => start + piece.repeat(32_000 / piece.length),
      ),
    );
    const began = performance.now();
    guessFormat(hostile);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('timeReader', () => {
  const now = (): number => Date.parse('2026-03-09T12:00:00Z');

  it('puts a time without a year into the past', () => {
    const read = timeReader(['MMM d HH:mm:ss'], 'UTC', now);
    const iso = (text: string): string => new Date(read(text)!).toISOString();
    expect(iso('Mar 9 11:00:00')).toBe('2026-03-09T11:00:00.000Z');
    expect(iso('Dec 31 23:59:59')).toBe('2025-12-31T23:59:59.000Z');
  });

  it('reads times in a zone, in the first format that fits', () => {
    const read = timeReader(['yyyy', 'dd.MM.yyyy HH:mm'], 'Europe/Berlin', now);
    expect(new Date(read('01.07.2026 12:00')!).toISOString()).toBe('2026-07-01T10:00:00.000Z');
    expect(read('soon')).toBeUndefined();
  });
});
