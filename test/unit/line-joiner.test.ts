import { describe, expect, it } from 'vitest';
import { LineJoiner } from '../../src/operators/line-joiner.js';
import type { JoinRule } from '../../src/operators/line-joiner.js';

/** Groups of lines, joined by a plus; each line takes as many bytes as it has characters. */
function groups(rule: Partial<JoinRule>, lines: readonly string[]): string[] {
  const joiner = new LineJoiner<{ text: string }>({ maxLines: 500, maxBytes: 1000, ...rule });
  const all = [...lines.map((text) => joiner.push({ text }, text.length)), joiner.flush()];
  expect(joiner.heldBytes).toBe(0);
  return all.flatMap((group) => (group === undefined ? [] : [group.map(({ text }) => text).join('+')]));
}

describe('LineJoiner', () => {
  it('begins an event at what matches start', () => {
    expect(groups({ start: '^\\d' }, ['1 a', ' at x', '', ' at y', '2 b', '3 c'])).toEqual([
      '1 a+ at x++ at y',
      '2 b',
      '3 c',
    ]);
  });

  it('lines before the first start are one event', () => {
    expect(groups({ start: '^\\d' }, [' at x', ' at y', '1 a'])).toEqual([' at x+ at y', '1 a']);
  });

  it('what matches continuation belongs to the line before, whatever that is', () => {
    expect(groups({ continuation: '^\\s|^Caused' }, [' lost', 'a', ' at x', 'Caused by', 'b'])).toEqual([
      ' lost',
      'a+ at x+Caused by',
      'b',
    ]);
  });

  it('no event has more than maxLines lines: the rest is another one', () => {
    expect(groups({ start: '^S', maxLines: 2 }, ['S', 'x', 'y', 'z', 'S'])).toEqual(['S+x', 'y+z', 'S']);
  });

  it('no event has more than maxBytes bytes, but for a longer line', () => {
    expect(groups({ start: '^S', maxBytes: 4 }, ['S', 'xxx', 'y', 'zzzzzz', 'w', 'S'])).toEqual([
      'S+xxx',
      'y',
      'zzzzzz',
      'w',
      'S',
    ]);
  });

  it('asks only for the beginning of a line: time does not grow with its length', () => {
    const line = 'x'.repeat(1_000_000);
    expect(groups({ start: 'x$', maxBytes: 10_000_000 }, ['S', `${line.slice(0, 5000)} x`])).toHaveLength(2);
    expect(groups({ start: ' x$', maxBytes: 10_000_000 }, ['S', `${line} x`])).toHaveLength(1);
  });

  it('a line that stands alone is joined by none', () => {
    const joiner = new LineJoiner<{ text: string }>({ continuation: '^ ', maxLines: 9, maxBytes: 99 });
    joiner.push({ text: 'a' }, 1);
    expect(joiner.pushAlone({ text: ' faulty' }, 1)).toEqual([{ text: 'a' }]);
    expect(joiner.push({ text: ' b' }, 1)).toEqual([{ text: ' faulty' }]);
    expect(joiner.flush()).toEqual([{ text: ' b' }]);
    expect(joiner.flush()).toBeUndefined();
  });
});
