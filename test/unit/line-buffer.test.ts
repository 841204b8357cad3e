import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../src/sinks/file/line-buffer.js';

// Lengths around a chunk's, in characters of one to four bytes.
const texts = fc.array(
  fc
    .record({ unit: fc.constantFrom('a', 'ä', '€', '😀'), times: fc.integer({ min: 0, max: 6000 }) })
    .map(({ unit, times }) => unit.repeat(times)),
  { maxLength: 12 },
);

describe('LineBuffer', () => {
  it('gives the UTF-8 of everything that was added since it was cleared', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 3 }), (writes) => {
        const buffer = new LineBuffer();
        for (const added of writes) {
          buffer.clear();
          for (const text of added) buffer.add(text);
          expect(Buffer.from(buffer.bytes).equals(Buffer.from(added.join(''), 'utf8'))).toBe(true);
        }
      }),
    );
  });

  it('what was not asked for is gone once it is cleared', () => {
    const buffer = new LineBuffer();
    buffer.add('x'.repeat(10_000));
    buffer.add('y');
    buffer.clear();
    buffer.add('z');
    expect(Buffer.from(buffer.bytes).toString()).toBe('z');
  });
});
