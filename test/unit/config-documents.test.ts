import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, formatFault, loadConfig } from '../../src/config/load.js';
import type { ConfigFault } from '../../src/config/load.js';

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

/** The faults of one key at the top; it begins in the third line. */
function checkTop(text: string): string[] {
  return check(`${HEAD}${text}\n`);
}

const TOP_KEYS =
  'name, source, checkpoint, stages, routes, deadLetter, startDeadlineMs, drainDeadlineMs, budgetBytes, maxDeadLetterRatio';

describe('documents', () => {
  it.each([
    ['', ['1:1: expected a pipeline, got an empty file']],
    ['# nothing\n', ['1:1: expected a pipeline, got an empty file']],
    ['---\n', ['1:4: expected a pipeline, got an empty document']],
    ['- a\n', ['1:1: expected a mapping, got a list']],
    ['text\n', ['1:1: expected a mapping, got "text"']],
    [`${HEAD}x: *y\n`, [`3:1: x: unknown key, expected one of ${TOP_KEYS}`, '3:4: x: expected an anchor &y above']],
    [`${HEAD}name: !bad x\n`, ['3:7: expected valid YAML: Unresolved tag: !bad']],
    [`${HEAD}stages: &a [*a]\n`, ['3:13: stages[0]: expected an alias of something smaller and complete']],
  ])('%j', (text, faults) => {
    expect(check(text)).toEqual(faults);
  });

  it('are all checked, beside syntax faults too, and faults come by position', () => {
    expect(check(`a: [\n---\n${HEAD}budgetBytes: 1\nname: a/b\n---\nb: { c: }}\na: 1\na: 2\n---\nsource: 3\n`)).toEqual(
      [
        '2:1: expected valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
        '5:14: budgetBytes: expected a number of at least 1048576, got 1',
        '6:7: name: expected a name of letters, digits, ".", "_" and "-", got "a/b"',
        ...check(`${HEAD}---\n\n\n\n\nb: { c: }}\na: 1\na: 2\n`).filter((fault) => fault.includes('YAML')),
        '12:1: routes: missing, expected a list',
        '12:9: source: expected a mapping, got 3',
      ],
    );
  });

  it('have columns that carriage returns and a byte order mark do not move', () => {
    expect(check(`\uFEFFsource: 1\r\nroutes: [{ to: { console: {} } }]\r\nname: a/b\r\n`)).toEqual([
      '1:9: source: expected a mapping, got 1',
      '3:7: name: expected a name of letters, digits, ".", "_" and "-", got "a/b"',
    ]);
  });
});

describe('what only one may have', () => {
  const own = (line: number): string => `expected a name of its own: line ${line} has the same`;
  const file = (line: number): string => `expected a file that nothing else writes: line ${line} has the same`;

  it('names of pipelines, given or not, and of routes', () => {
    expect(check(`name: a\n${HEAD}---\n${HEAD}name: a\n---\n${HEAD}---\nname: app-3\n${HEAD}`)).toEqual([
      `7:7: name: ${own(1)}`,
      `12:7: name: ${own(9)}`,
    ]);
    const routes = ['{ name: b, to: { console: {} } }', '{ name: b, to: { console: {} } }', '{ to: { console: {} } }'];
    expect(check(`source: { stdin: {} }\nroutes:\n${routes.map((each) => `  - ${each}\n`).join('')}`)).toEqual([
      `4:13: routes[1].name: ${own(3)}`,
    ]);
    expect(
      check('source: { stdin: {} }\nroutes:\n  - { name: route2, to: { console: {} } }\n  - to: { console: {} }\n'),
    ).toEqual([`4:5: routes[1].name: ${own(3)}`]);
  });

  it('files: of one pipeline, of several, however they are written', () => {
    expect(
      check(`source: { stdin: {} }
routes:
  - to: { file: { path: out/a } }
  - to: [{ console: {} }, { file: { path: ./out/../out/a } }]
deadLetter: { file: { path: /work/out/a } }
---
source: { stdin: {} }
routes: [{ to: { file: { path: out//a } } }]
`),
    ).toEqual([
      `4:43: routes[1].to[1].file.path: ${file(3)}`,
      `5:29: deadLetter.file.path: ${file(3)}`,
      `8:32: routes[0].to.file.path: ${file(3)}`,
    ]);
  });

  it('checkpoints, also those that are not written down', () => {
    const path = (to: string): string => `checkpoint: { path: ${to} }\n`;
    expect(
      check(`${HEAD}${path('c')}---\n${HEAD}${path('./c')}---\n${HEAD}${path('data/app-4.checkpoint')}---\n${HEAD}`),
    ).toEqual([`7:21: checkpoint.path: ${file(3)}`, `13:1: checkpoint.path: ${file(11)}`]);
    expect(checkTop('checkpoint: { path: x }\ndeadLetter: { file: { path: x } }')).toEqual([
      `4:29: deadLetter.file.path: ${file(3)}`,
    ]);
  });

  it('is found beside other faults', () => {
    expect(check('name: a\nsource: 1\nroutes: 2\n---\nname: a\nsource: 1\nroutes: 2\n')).toContain(
      `5:7: name: ${own(1)}`,
    );
  });
});

describe('any text', () => {
  const word = fc.constantFrom(
    // prettier-ignore
    ...['source', 'tail', 'routes', 'to', 'file', 'path', ': ', ':\n  ', '- ', '\n', '{', '}', '[', ']', ', ', '"', "'",
      '${', '}', '${X}', '*a', '&a ', '!x ', '---\n', '|\n', 'null', '1', '#', '? ', '<<', '__proto__', '\t', '%'],
  );

  it('is loaded or refused with faults that lie within it', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = words.join('');
        const lines = text.split('\n');
        for (const { line, column, message } of faultsOf(text)) {
          expect(message).toMatch(/expected/);
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
