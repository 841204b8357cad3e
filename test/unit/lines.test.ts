import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/model/batch.js';
import { countOf, LineSplitter, MAX_LINES, noLines } from '../../src/sources/lines.js';
import type { LineLimits } from '../../src/sources/lines.js';

const roomy: LineLimits = { maxLineBytes: 1 << 20, onLongLine: 'deadLetter' };

interface Plain {
  readonly offset: number;
  readonly text: string;
  readonly bytes: string | undefined;
  readonly code: string | undefined;
}

function plain({ offset, text, bytes, fault }: LogRecord): Plain {
  return { offset, text, bytes: bytes && Buffer.from(bytes).toString('hex'), code: fault?.code };
}

/** Splits blocks, each overwritten once it was pushed, as a reader does with its buffer. */
function split(blocks: readonly Uint8Array[], limits = roomy, maxLines = MAX_LINES, position = 0): Plain[] {
  const splitter = new LineSplitter(limits, position);
  const all = noLines();
  for (const bytes of blocks) {
    const block = Buffer.from(bytes);
    for (let from = 0; from < block.length;) {
      const lines = noLines();
      const used = splitter.push(block.subarray(from), lines, maxLines);
      expect(used).toBeGreaterThan(0);
      expect(countOf(lines)).toBeLessThanOrEqual(maxLines);
      expect(splitter.heldBytes).toBeLessThanOrEqual(limits.maxLineBytes + 1);
      expect(splitter.position).toBeLessThanOrEqual(splitter.end);
      from += used;
      all.records.push(...lines.records);
      all.filtered += lines.filtered;
    }
    block.fill(0x2a);
  }
  splitter.flush(all);
  expect(splitter.position).toBe(position + blocks.reduce((sum, { length }) => sum + length, 0));
  expect(splitter.end).toBe(splitter.position);
  expect(splitter.heldBytes).toBe(0);
  return all.records.map(plain);
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

/** What lines are, said in another way: one line after the other, from the bytes. */
function expected(bytes: Uint8Array, { maxLineBytes, onLongLine }: LineLimits, position = 0): Plain[] {
  const records: Plain[] = [];
  for (let from = 0; from < bytes.length;) {
    const lineEnd = bytes.indexOf(10, from);
    const to = lineEnd < 0 ? bytes.length : lineEnd;
    const withoutCr = to > from && bytes[to - 1] === 13 ? to - 1 : to;
    const isLong = withoutCr - from > maxLineBytes;
    let end = isLong ? from + maxLineBytes : withoutCr;
    const isInside = (place: number): boolean => (bytes[place]! & 0xc0) === 0x80;
    const start = [0, 1, 2, 3].map((back) => end - back).find((place) => !isInside(place));
    if (isLong && start !== undefined) end = start;
    const kept = Buffer.from(bytes.subarray(from, end));
    const decoded = kept.toString('utf8');
    const isValid = Buffer.from(decoded).equals(kept);
    const offset = position + from;
    records.push({
      offset,
      text: offset === 0 && decoded.startsWith('\uFEFF') ? decoded.slice(1) : decoded,
      bytes: isValid ? undefined : kept.toString('hex'),
      code: isLong && onLongLine === 'deadLetter' ? 'MILLRACE_E_LINE_TOO_LONG' : undefined,
    });
    from = to + 1;
  }
  return records;
}

const piece = fc.oneof(
  fc
    .constantFrom('\n', '\r\n', '\r', '\0', '\uFEFF', 'größer', '€', '😀', '日本', 'a', 'ERROR|x|y')
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 1, max: 40 }).map((length) => Buffer.alloc(length, 'x')),
);
const content = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.concat(pieces));
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('LineSplitter', () => {
  it('gives the same records however the bytes are cut into blocks', () => {
    fc.assert(
      fc.property(content, places, fc.integer({ min: 1, max: 5 }), fc.nat(3), (bytes, cuts, maxLines, position) => {
        expect(split(cut(bytes, cuts), roomy, maxLines, position)).toEqual(expected(bytes, roomy, position));
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['deadLetter', 'truncate'] as const)('and however long the lines are: %s', (onLongLine) => {
    const limits: LineLimits = { maxLineBytes: 16, onLongLine };
    fc.assert(
      fc.property(content, places, fc.integer({ min: 1, max: 5 }), (bytes, cuts, maxLines) => {
        expect(split(cut(bytes, cuts), limits, maxLines)).toEqual(expected(bytes, limits));
      }),
      { numRuns: 1000 },
    );
  });

  it('cut at every byte', () => {
    const bytes = Buffer.from('\uFEFFeins\r\n\r\n\0größer €\n😀😀\r\n\rx\ry\r\nlast\r');
    const whole = expected(bytes, roomy);
    for (let at = 0; at <= bytes.length; at++)
      expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    expect(whole.map(({ text }) => text)).toEqual(['eins', '', '\0größer €', '😀😀', '\rx\ry', 'last']);
  });

  it('keeps the bytes of what is not UTF-8, and only of that', () => {
    const [good, bad] = split([Buffer.from([0x67, 0xc3, 0xb6, 10, 0x67, 0xc3, 10])]);
    expect(good).toEqual({ offset: 0, text: 'gö', bytes: undefined, code: undefined });
    expect(bad).toEqual({ offset: 4, text: 'g\uFFFD', bytes: '67c3', code: undefined });
  });

  it('a line of exactly maxLineBytes is not too long, with LF and with CRLF', () => {
    const limits: LineLimits = { maxLineBytes: 16, onLongLine: 'deadLetter' };
    const line = 'x'.repeat(16);
    const bytes = Buffer.from(`${line}\n${line}\r\n${line}y\n`);
    const codes = [undefined, undefined, 'MILLRACE_E_LINE_TOO_LONG'];
    expect(split([bytes], limits).map(({ code }) => code)).toEqual(codes);
    expect(
      split(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        limits,
      ).map(({ code }) => code),
    ).toEqual(codes);
  });

  it('goes by 64 KiB and longer lines in one block', () => {
    const sizes = [1, 70_000, 3, 65_535, 65_536, 0, 200_000, 5];
    const bytes = Buffer.from(sizes.map((size) => `${'ä'.repeat(size % 3)}${'y'.repeat(size)}\n`).join(''));
    expect(split([bytes])).toEqual(expected(bytes, roomy));
    expect(split(cut(bytes, [100_000, 150_000, 150_001]))).toEqual(expected(bytes, roomy));
  });

  it('holds no more than maxLineBytes of a line without an end', () => {
    const splitter = new LineSplitter({ maxLineBytes: 1000, onLongLine: 'truncate' }, 0);
    const lines = noLines();
    for (let block = 0; block < 1000; block++) splitter.push(Buffer.alloc(1000, 'z'), lines, MAX_LINES);
    expect(splitter.heldBytes).toBeLessThanOrEqual(1001);
    splitter.push(Buffer.from('\nnext\n'), lines, MAX_LINES);
    expect(lines.records.map(({ offset, text }) => [offset, text.length])).toEqual([
      [0, 1000],
      [1_000_001, 4],
    ]);
  });

  it('a truncated line is not cut inside a character', () => {
    const limits: LineLimits = { maxLineBytes: 16, onLongLine: 'truncate' };
    const [record] = split([Buffer.from(`${'x'.repeat(15)}€ and more\n`)], limits);
    expect(record).toEqual({ offset: 0, text: 'x'.repeat(15), bytes: undefined, code: undefined });
  });
});
