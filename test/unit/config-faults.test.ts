import { describe, expect, it } from 'vitest';
import { ConfigError, formatFault, loadConfig } from '../../src/config/load.js';
import type { ConfigFault } from '../../src/config/load.js';
import { MillraceError } from '../../src/model/errors.js';

const environment = { env: {}, cwd: '/work', readSecret: (): string => '' };

function faultsOf(text: string): readonly ConfigFault[] {
  try {
    loadConfig(text, 'app.yaml', environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

/** The faults without the file's name. */
function check(text: string): string[] {
  return faultsOf(text).map((fault) => formatFault(fault).replace(/^app\.yaml:/, ''));
}

const HEAD = 'source: { stdin: {} }\nroutes: [{ to: { console: {} } }]\n';

/** The faults of one stage that begins in the fifth column of the fourth line. */
function checkStage(stage: string): string[] {
  return check(`${HEAD}stages:\n  - ${stage}\n`);
}

/** The faults of one key at the top; it begins in the third line. */
function checkTop(text: string): string[] {
  return check(`${HEAD}${text}\n`);
}

const TOP_KEYS =
  'name, source, checkpoint, stages, routes, deadLetter, startDeadlineMs, drainDeadlineMs, budgetBytes, maxDeadLetterRatio';
const TAIL_KEYS =
  'paths, exclude, from, fields, maxLineBytes, onLongLine, encoding, multiline, order, ignoreOlderThanMs, pollMs, maxOpenFiles, rotateWaitMs';
const TESTS = 'level, minLevel, equals, matches, contains, exists, gt, gte, lt, lte, and, or, not';
const STAGES = 'parse, normalize, keep, drop, fields, sample, dedupe, throttle, redact';

describe('a configuration error', () => {
  it('has a code, all faults, and all of them in its message', () => {
    let error: unknown;
    try {
      loadConfig('source: 1\nroutes: 2\n', 'app.yaml', environment);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MillraceError);
    const { code, faults, message } = error as ConfigError;
    expect(code).toBe('MILLRACE_E_CONFIG_INVALID');
    expect(faults).toEqual([
      { file: 'app.yaml', line: 1, column: 9, path: 'source', message: 'expected a mapping, got 1' },
      { file: 'app.yaml', line: 2, column: 9, path: 'routes', message: 'expected a list, got 2' },
    ]);
    for (const fault of faults) expect(message).toContain(formatFault(fault));
  });

  it('is formatted like a compiler error', () => {
    const fault = { file: 'a.yaml', line: 3, column: 5, path: 'source.tail.pathz', message: 'unknown key' };
    expect(formatFault({ ...fault, nearest: 'paths' })).toBe(
      'a.yaml:3:5: source.tail.pathz: unknown key (did you mean "paths"?)',
    );
    expect(formatFault({ ...fault, path: '' })).toBe('a.yaml:3:5: unknown key');
  });
});

describe('keys', () => {
  it('unknown: at the key, with the valid ones and the nearest', () => {
    expect(checkTop('chekpoint: {}')).toEqual([
      `3:1: chekpoint: unknown key, expected one of ${TOP_KEYS} (did you mean "checkpoint"?)`,
    ]);
    expect(checkTop('"odd key": {}')).toEqual([`3:1: ["odd key"]: unknown key, expected one of ${TOP_KEYS}`]);
    expect(check('source:\n  tail:\n    paths: x\n    form: end\nroutes: [{ to: { console: {} } }]')).toEqual([
      `4:5: source.tail.form: unknown key, expected one of ${TAIL_KEYS} (did you mean "from"?)`,
    ]);
    expect(checkTop('<<: {}')).toEqual([`3:1: ["<<"]: unknown key, expected one of ${TOP_KEYS}`]);
  });

  it('missing: at the mapping that lacks it, by its key if it has one', () => {
    expect(check('name: x\n')).toEqual([
      '1:1: source: missing, expected a mapping',
      '1:1: routes: missing, expected a list',
    ]);
    expect(check('source:\n  tail:\n    from: end\nroutes:\n  - name: a\n  - to:\n      file: {}\n')).toEqual([
      '2:3: source.tail.paths: missing, expected a string or a list',
      '5:5: routes[0].to: missing, expected a mapping or a list',
      '7:7: routes[1].to.file.path: missing, expected a string',
    ]);
  });

  it('twice: at the second, and the rest is still checked', () => {
    expect(checkTop('source: { stdin: {} }\nbudgetBytes: 1')).toEqual([
      '3:1: source: expected each key once, first at line 1',
      '4:14: budgetBytes: expected a number of at least 1048576, got 1',
    ]);
  });

  it('that are no names', () => {
    expect(checkTop('? [a]\n: 1\n__proto__: 1')).toEqual([
      '3:3: expected a name as key',
      '5:1: expected a name as key other than __proto__',
    ]);
  });
});

describe('values', () => {
  it.each([
    ['name: 5', '3:7: name: expected a string, got 5'],
    ['name: a/b', '3:7: name: expected a name of letters, digits, ".", "_" and "-", got "a/b"'],
    ['checkpoint:', '3:1: checkpoint: expected a mapping, got nothing ({} takes the defaults)'],
    ['checkpoint: { everyMs: 9 }', '3:24: checkpoint.everyMs: expected a number of at least 10, got 9'],
    ['checkpoint: { everyMs: ten }', '3:24: checkpoint.everyMs: expected a whole number, got "ten"'],
    ['startDeadlineMs: 3000000000', '3:18: startDeadlineMs: expected a number of at most 2147483647, got 3000000000'],
    ['budgetBytes: 2000000.5', '3:14: budgetBytes: expected a whole number, got 2000000.5'],
    ['maxDeadLetterRatio: 1.5', '3:21: maxDeadLetterRatio: expected a number of at most 1, got 1.5'],
    ['maxDeadLetterRatio: .nan', '3:21: maxDeadLetterRatio: expected a number, got NaN'],
    ['drainDeadlineMs: [1]', '3:18: drainDeadlineMs: expected a whole number, got a list'],
    ['drainDeadlineMs: { a: 1 }', '3:18: drainDeadlineMs: expected a whole number, got a mapping'],
    ['stages: {}', '3:9: stages: expected a list, got a mapping'],
    ['deadLetter: { file: { path: "" } }', '3:29: deadLetter.file.path: expected a string that is not empty, got ""'],
    [
      'deadLetter: { console: { format: prety } }',
      '3:34: deadLetter.console.format: expected one of pretty, json, got "prety" (did you mean "pretty"?)',
    ],
    [
      `name: "/${'x'.repeat(99)}"`,
      `3:7: name: expected a name of letters, digits, ".", "_" and "-", got "/${'x'.repeat(39)}…"`,
    ],
  ])('%s', (text, fault) => {
    expect(checkTop(text)).toEqual([fault]);
  });

  it.each([
    ['rate: 0', '1:30: source.generator.rate: expected a number greater than 0, got 0'],
    ['count: -1', '1:31: source.generator.count: expected a number of at least 0, got -1'],
    [
      'format: apahce',
      '1:32: source.generator.format: expected one of delimited, json, apache, got "apahce" (did you mean "apache"?)',
    ],
    ['anomaly: yes', '1:33: source.generator.anomaly: expected true or false, got "yes"'],
    ['fields: { a: [] }', '1:37: source.generator.fields.a: expected a string, a number or true or false, got a list'],
    [
      'fields: { a: 12345678901234567890 }',
      '1:37: source.generator.fields.a: expected a number that can be held exactly: quote it to keep its digits, got 12345678901234567000',
    ],
  ])('generator: { %s }', (key, fault) => {
    expect(check(`source: { generator: { ${key} } }\nroutes: [{ to: { console: {} } }]\n`)).toEqual([fault]);
  });

  it.each([
    ['paths: []', '1:26: source.tail.paths: expected a list with at least 1 item'],
    ['paths: [a, 1]', '1:30: source.tail.paths[1]: expected a string, got 1'],
    ['paths: 7', '1:26: source.tail.paths: expected a string or a list, got 7'],
    ['paths: ""', '1:26: source.tail.paths: expected a string that is not empty, got ""'],
    ['paths: a, maxLineBytes: 15', '1:43: source.tail.maxLineBytes: expected a number of at least 16, got 15'],
    [
      'paths: a, onLongLine: trunkate',
      '1:41: source.tail.onLongLine: expected one of deadLetter, truncate, got "trunkate" (did you mean "truncate"?)',
    ],
  ])('tail: { %s }', (key, fault) => {
    expect(check(`source: { tail: { ${key} } }\nroutes: [{ to: { console: {} } }]\n`)).toEqual([fault]);
  });
});

describe('exactly one of several', () => {
  it('none, two, or another one', () => {
    expect(check('source: {}\nroutes: [{ to: {} }]\n')).toEqual([
      '1:1: source: expected exactly one of tail, stdin, generator, kafka',
      '2:12: routes[0].to: expected exactly one of file, console, duckdb, kafka, elasticsearch',
    ]);
    expect(check('source: { stdin: {}, generator: { rat: 1 } }\nroutes: [{ to: { console: {} } }]\n')).toEqual([
      '1:9: source: expected exactly one of tail, stdin, generator, kafka, got stdin and generator',
      '1:35: source.generator.rat: unknown key, expected one of rate, count, seed, format, anomaly, fields (did you mean "rate"?)',
    ]);
    expect(checkTop('deadLetter: { fil: {} }')).toEqual([
      '3:15: deadLetter.fil: unknown key, expected one of file, console, kafka, elasticsearch (did you mean "file"?)',
    ]);
  });

  it('as one sink or a list of sinks: the faults of the form that was meant', () => {
    expect(
      check(`source: { stdin: {} }
routes:
  - to: { file: { pth: x } }
  - to: [{ console: {} }, { file: { path: 3 } }, x]
  - to: []
  - to: here
`),
    ).toEqual([
      '3:11: routes[0].to.file.path: missing, expected a string',
      '3:19: routes[0].to.file.pth: unknown key, expected one of path, format, rotate, gzip (did you mean "path"?)',
      '4:43: routes[1].to[1].file.path: expected a string, got 3',
      '4:50: routes[1].to[2]: expected a mapping, got "x"',
      '5:9: routes[2].to: expected a list with at least 1 item',
      '6:9: routes[3].to: expected a mapping or a list, got "here"',
    ]);
  });
});

describe('stages', () => {
  it.each([
    ['normalise: {}', [`4:5: stages[0].normalise: unknown key, expected one of ${STAGES} (did you mean "normalize"?)`]],
    ['parse', ['4:5: stages[0]: expected a mapping, got "parse"']],
    ['[]', ['4:5: stages[0]: expected a mapping, got a list']],
    ['normalize:', ['4:5: stages[0].normalize: expected a mapping, got nothing ({} takes the defaults)']],
    ['parse: {}', ['4:5: stages[0].parse.format: missing, expected one of delimited, json, logfmt, regex']],
    [
      'parse: { format: jsn, seperator: "," }',
      [
        '4:22: stages[0].parse.format: expected one of delimited, json, logfmt, regex, got "jsn" (did you mean "json"?)',
        '4:27: stages[0].parse.seperator: unknown key, expected one of format, separator, fields, pattern, maxInputChars (did you mean "separator"?)',
      ],
    ],
    ['parse: { format: json, separator: "," }', ['4:28: stages[0].parse.separator: unknown key, expected format']],
    [
      'parse: { format: delimited, separator: "", fields: [a, b, a], x: 1 }',
      [
        '4:44: stages[0].parse.separator: expected a string that is not empty, got ""',
        '4:63: stages[0].parse.fields[2]: expected each name once, got "a"',
        '4:67: stages[0].parse.x: unknown key, expected one of format, separator, fields',
      ],
    ],
    [
      'parse: { format: regex, pattern: "(?<a>" }',
      ['4:38: stages[0].parse.pattern: expected a regular expression (Unterminated group), got "(?<a>"'],
    ],
    [
      'parse: { format: regex, pattern: "(a)" }',
      ['4:38: stages[0].parse.pattern: expected at least one named group: (?<name>…), got "(a)"'],
    ],
    [
      'normalize: { timeZone: Europe/Berln }',
      [
        '4:28: stages[0].normalize.timeZone: expected the IANA name of a time zone, e.g. Europe/Berlin, got "Europe/Berln" (did you mean "Europe/Berlin"?)',
      ],
    ],
    [
      'keep: { level: [WARNN, 3] }',
      [
        '4:21: stages[0].keep.level[0]: expected a level: TRACE, DEBUG, INFO, WARN, ERROR, FATAL or an alias of one, got "WARNN" (did you mean "WARN"?)',
        '4:28: stages[0].keep.level[1]: expected a string, got 3',
      ],
    ],
    ['keep: { level: 3 }', ['4:20: stages[0].keep.level: expected a string or a list, got 3']],
    ['keep: {}', [`4:5: stages[0].keep: expected at least one of ${TESTS}, aboveQuantile, anomalyAbove`]],
    [
      'keep: { aboveQuantile: 2, by: [a] }',
      [
        '4:5: stages[0].keep.field: missing, expected a field for aboveQuantile',
        '4:28: stages[0].keep.aboveQuantile: expected a number of at most 1, got 2',
      ],
    ],
    ['keep: { level: WARN, by: [a] }', ['4:5: stages[0].keep: expected aboveQuantile or anomalyAbove for by']],
    [
      'drop: { field: a, aboveQuantile: 0.9 }',
      [`4:23: stages[0].drop.aboveQuantile: unknown key, expected one of ${TESTS.replace('equals', 'field, equals')}`],
    ],
    ['drop: { field: a }', [`4:5: stages[0].drop: expected at least one of ${TESTS}`]],
    [
      'drop: { equals: [a, {}], matches: "[" }',
      [
        '4:5: stages[0].drop.field: missing, expected a field for equals, matches',
        '4:25: stages[0].drop.equals[1]: expected a string, a number or true or false, got a mapping',
        '4:39: stages[0].drop.matches: expected a regular expression (Unterminated character class), got "["',
      ],
    ],
    [
      'keep: { or: [{ level: WARN }, { feild: a, gt: x }], not: [] }',
      [
        '4:35: stages[0].keep.or[1].field: missing, expected a field for gt',
        `4:37: stages[0].keep.or[1].feild: unknown key, expected one of ${TESTS.replace('equals', 'field, equals')} (did you mean "field"?)`,
        '4:51: stages[0].keep.or[1].gt: expected a number, got "x"',
        '4:62: stages[0].keep.not: expected a list with at least 1 item',
      ],
    ],
    ['sample: { share: 2 }', ['4:22: stages[0].sample.share: expected a number of at most 1, got 2']],
    [
      'dedupe: { by: [a, a], withinMs: 0, maxkeys: 5 }',
      [
        '4:23: stages[0].dedupe.by[1]: expected each name once, got "a"',
        '4:37: stages[0].dedupe.withinMs: expected a number of at least 1, got 0',
        '4:40: stages[0].dedupe.maxkeys: unknown key, expected one of by, withinMs, maxKeys (did you mean "maxKeys"?)',
      ],
    ],
    [
      'throttle: { max: 1.5, per: 3 }',
      [
        '4:5: stages[0].throttle.perMs: missing, expected a whole number',
        '4:22: stages[0].throttle.max: expected a whole number, got 1.5',
        '4:27: stages[0].throttle.per: unknown key, expected one of by, max, perMs, maxKeys (did you mean "perMs"?)',
      ],
    ],
    ['redact: { with: hash }', ['4:5: stages[0].redact.key: missing, expected a key for the hash']],
    [
      'redact: { what: [emial], patterns: ["("], key: k }',
      [
        '4:5: stages[0].redact.with: missing, expected hash where a key is given',
        '4:22: stages[0].redact.what[0]: expected one of email, cardNumber, ip, bearerToken, got "emial" (did you mean "email"?)',
        '4:41: stages[0].redact.patterns[0]: expected a regular expression (Unterminated group), got "("',
      ],
    ],
    [
      'sample: { shar: 0.1 }',
      [
        '4:5: stages[0].sample.share: missing, expected a number',
        '4:15: stages[0].sample.shar: unknown key, expected one of share, by (did you mean "share"?)',
      ],
    ],
    ['fields: {}', ['4:5: stages[0].fields: expected at least one of set, rename, remove']],
    [
      'fields: { set: { a: null } }',
      ['4:25: stages[0].fields.set.a: expected a string, a number or true or false, got nothing'],
    ],
    [
      'fields: { sets: {} }',
      ['4:15: stages[0].fields.sets: unknown key, expected one of set, rename, remove (did you mean "set"?)'],
    ],
  ])('%s', (stage, faults) => {
    expect(checkStage(stage)).toEqual(faults);
  });
});

describe('the rotation of a file', () => {
  const checkSink = (sink: string): string[] => check(`source: { stdin: {} }\nroutes:\n  - to: { file: ${sink} }\n`);

  it('says when it is to happen', () => {
    expect(checkSink('{ path: a, rotate: { keep: 2 } }')).toEqual([
      '3:36: routes[0].to.file.rotate: expected maxBytes or every: nothing says when to rotate',
    ]);
    expect(checkSink('{ path: a, rotate: { every: day, keep: 2, maxAgeDays: 0.5 }, gzip: true }')).toEqual([]);
  });

  it('is what compression is for', () => {
    expect(checkSink('{ path: a, gzip: true }')).toEqual([
      '3:34: routes[0].to.file.gzip: expected rotate beside it: only rotated files are compressed, got true',
    ]);
  });
});

describe('the connection to Kafka', () => {
  const checkSink = (more: string): string[] =>
    check(`source: { stdin: {} }\nroutes:\n  - to: { kafka: { brokers: ["a:1"], topic: t, ${more} } }\n`);

  it('names all mechanisms when it is none of them', () => {
    expect(checkSink('sasl: { mechanism: PLAIN, username: me, password: x }')).toEqual([
      '3:67: routes[0].to.kafka.sasl.mechanism: expected one of plain, scram-sha-256, scram-sha-512, oauthbearer, got "PLAIN" (did you mean "plain"?)',
    ]);
    expect(checkSink('sasl: { mechanism: plain, username: me }')).toEqual([
      '3:48: routes[0].to.kafka.sasl.password: missing, expected a string',
    ]);
  });

  it('takes the text of a certificate, not the name of its file', () => {
    expect(checkSink('tls: { ca: ca.pem }')).toEqual([
      '3:59: routes[0].to.kafka.tls.ca: expected PEM text, such as ${file:ca.pem}, got "ca.pem"',
    ]);
  });
});
