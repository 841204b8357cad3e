import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { docBlocks, docBlocksIn } from './doc-blocks.js';
import { readPicture, runPicture } from './pictures.js';
import { pack } from './pack.js';

const pictures = docBlocksIn(fileURLToPath(new URL('../src/operators', import.meta.url))).filter(
  ({ language }) => language === 'marbles',
);

/** What is exported and has no behaviour in time to draw, or one in promises, which no virtual clock moves. */
const NOT_DRAWN = new Set([
  ...['LogEvent', 'MillraceError', 'backoffMs', 'aimdLimit', 'gradientLimit', 'Circuit', 'KeptState'],
  ...['fromAsyncIterable', 'toAsyncIterable'],
  ...['countOf', 'sumOf', 'minOf', 'maxOf', 'meanOf', 'statsOf'],
]);

describe('the pictures in the doc comments', () => {
  it.each(pictures.map((picture) => [`${picture.of} (${picture.place})`, picture] as const))('%s', (_, { lines }) => {
    runPicture(readPicture(lines));
  });

  it('every operator of the pack has one', () => {
    const drawn = new Set(pictures.map((picture) => picture.of));
    expect(Object.keys(pack).filter((name) => !drawn.has(name) && !NOT_DRAWN.has(name))).toEqual([]);
  });
});

describe('a picture', () => {
  const run = (text: string): void => runPicture(readPicture(text.split('\n')));

  it('fails when a value, a time, an end, a subscription or a side output is not as drawn', () => {
    const right = 'source -a-b-|\n> map((x) => x + x)\noutput -x-y-|\nsubs ^----!\nwhere x: "aa", y: "bb"';
    run(right);
    for (const [from, to] of [
      ['"bb"', '"b"'],
      ['output -x-y-|', 'output -xy--|'],
      ['output -x-y-|', 'output -x-y-#'],
      ['output -x-y-|', 'output -x-y--'],
      ['^----!', '^---!'],
      ['subs', 'side -\nsubs'],
      ['x + x', 'x'],
    ] as const) {
      expect(right).toContain(from);
      if (to.startsWith('side')) run(right.replace(from, to));
      else expect(() => run(right.replace(from, to)), to).toThrow();
    }
    expect(() => run('source -a|\n> tap((x) => side.next(x))\noutput -a|\nside --a')).toThrow();
  });

  it('has further inputs, hot ones, side outputs, digits, errors, several operators, an unsubscription', () => {
    run('source -a-----\nother ---b-#\n> mergeWith(other)\noutput -a-b-#\nsubs ^----!\nother.subs ^----!');
    run('source a-b^-c-|\n> tap(side)\noutput --c-|\nside --c-|');
    run('source -1-2|\n> map((n) => n * 2), filter((n) => n > 2)\noutput ---4|');
    run("source -a-#\n> catchError((e) => of(e))\noutput -a-(x|)\nwhere 'source#': 'mine', x: 'mine'");
    run("> throwError(() => 'boom')\noutput #\nwhere '#': 'boom'");
    run('source -a-b-c-\n> map((x) => x)\noutput -a-b-\nunsub ----!\nsubs ^---!');
    run('source -a-|\n> delay(\n>   time("--|"))\noutput ---(a|)');
  });

  it('compares events by their fields and coded errors by their code', () => {
    run("source -a|\n> fields({ set: { n: 1 } })\noutput -b|\nwhere a: event({ m: 'x' }), b: { m: 'x', n: 1 }");
    const failing = "> throwError(() => new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', 'n'))\noutput #\n";
    run(`${failing}where '#': 'MILLRACE_E_RETRY_EXHAUSTED'`);
    expect(() => run(`${failing}where '#': 'MILLRACE_E_FILE_IO'`)).toThrow();
  });

  it('is refused when a line says nothing, nothing is called or nothing is expected', () => {
    expect(() => readPicture(['source -a|', '> map(x)'])).toThrow('has an output');
    expect(() => readPicture(['source -a|', 'output -a|'])).toThrow('begins with >');
    expect(() => readPicture(['-a|', '> x', 'output a'])).toThrow('not a line of a picture: -a|');
    expect(() => run('> map((x) => x)\noutput |')).toThrow('need a source');
  });

  it('is found in the comment before a declaration, with its name and line', () => {
    const text = '\n/**\n * Says.\n *\n * ```marbles\n * source  a\n * ```\n */\nexport function it<T>() {}\n';
    expect(docBlocks('it.ts', text)).toEqual([
      { place: 'it.ts:5', of: 'it', language: 'marbles', lines: ['source  a'] },
    ]);
    expect(docBlocks('it.ts', text.replace('export ', ''))).toEqual([]);
  });
});
