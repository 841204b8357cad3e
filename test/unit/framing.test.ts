import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/model/batch.js';
import type { Encoding } from '../../src/sources/decode-text.js';
import { framingOf } from '../../src/sources/framing-of.js';
import type { FramingOptions } from '../../src/sources/framing.js';
import { countOf, noLines } from '../../src/sources/lines.js';

const roomy: FramingOptions = { maxLineBytes: 1 << 20, onLongLine: 'deadLetter', encoding: 'utf-8' };

interface Plain {
  readonly offset: number;
  readonly text: string;
  readonly bytes?: string;
  readonly code?: string;
}

function plain({ offset, text, bytes, fault }: LogRecord): Plain {
  return {
    offset,
    text,
    ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes).toString('hex') }),
    ...(fault === undefined ? {} : { code: fault.code }),
  };
}

/** Cuts blocks into records, each block overwritten once it was pushed, as a reader does with its buffer. */
function frame(blocks: readonly Uint8Array[], options: Partial<FramingOptions> = {}, maxLines = 5000): Plain[] {
  const framing = framingOf({ ...roomy, ...options }, 0);
  const all: Plain[] = [];
  for (const bytes of blocks) {
    const block = Buffer.from(bytes);
    for (let from = 0; from < block.length;) {
      const lines = noLines();
      const used = framing.push(block.subarray(from), lines, maxLines);
      expect(used).toBeGreaterThan(0);
      expect(countOf(lines)).toBeLessThanOrEqual(maxLines);
      expect(framing.position).toBeLessThanOrEqual(framing.end);
      from += used;
      all.push(...lines.records.map(plain));
    }
    block.fill(0x2a);
  }
  const rest = noLines();
  framing.flush(rest);
  expect(framing.position).toBe(blocks.reduce((sum, { length }) => sum + length, 0));
  expect(framing.end).toBe(framing.position);
  expect(framing.heldBytes).toBe(0);
  return [...all, ...rest.records.map(plain)];
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

function each(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

/** What iconv makes of a text. */
function encoded(text: string, encoding: Encoding): Buffer {
  if (text === '') return Buffer.alloc(0);
  const name = encoding === 'latin1' ? 'ISO-8859-1' : encoding.toUpperCase();
  return execFileSync('iconv', ['-f', 'UTF-8', '-t', name], { input: text });
}

/** U+0A0A, U+0A00 and U+000A; U+4E0A and U+0A4E have the byte of a line feed in one place or the other. */
const TRICKY = 'ਊ਀上੎';

const TEXTS: Record<Exclude<Encoding, 'utf-8'>, string> = {
  'utf-16le': `größer ${TRICKY}😀\r\n\n${TRICKY}\nlast`,
  'utf-16be': `größer ${TRICKY}😀\r\n\n${TRICKY}\nlast`,
  latin1: 'größer ÿ als alles\r\n\n£ \nlast',
  gbk: '你好，世界大同 ERROR\r\n\n亂碼 abc 镕\nlast 上',
};

describe.each(Object.entries(TEXTS) as [Exclude<Encoding, 'utf-8'>, string][])('%s', (encoding, text) => {
  const bytes = encoded(text, encoding);

  it('is cut into the lines that it has, at any block boundary; offsets are those of the file', () => {
    const lines = text.split('\n');
    const offsets = lines.map(
      (_, at) =>
        encoded(
          lines
            .slice(0, at)
            .map((line) => `${line}\n`)
            .join(''),
          encoding,
        ).length,
    );
    const expected = lines.map((line, at) => ({ offset: offsets[at]!, text: line.replace(/\r$/, '') }));
    expect(frame([bytes], { encoding })).toEqual(expected);
    expect(frame(each(bytes), { encoding })).toEqual(expected);
    expect(frame([bytes], { encoding }, 1)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat()), (places) => {
        expect(frame(cut(bytes, places), { encoding })).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps whole characters of a line that is too long', () => {
    for (let maxLineBytes = 16; maxLineBytes < 24; maxLineBytes++) {
      const [first] = frame(each(bytes), { encoding, maxLineBytes, onLongLine: 'truncate' });
      expect(first!.text.length).toBeGreaterThan(5);
      expect(text.startsWith(first!.text), `${maxLineBytes}: ${first!.text}`).toBe(true);
      expect(first!.bytes).toBeUndefined();
    }
    const [faulty, next] = frame([bytes], { encoding, maxLineBytes: 17 });
    expect(faulty!.code).toBe('MILLRACE_E_LINE_TOO_LONG');
    expect(next!.text).toBe('');
  });
});

describe('a byte order mark', () => {
  it.each(['utf-16le', 'utf-16be', 'utf-8'] as const)('of %s is no text', (encoding) => {
    const bytes = encoded('\uFEFFa\n\uFEFFb\n', encoding);
    expect(frame(each(bytes), { encoding }).map(({ text }) => text)).toEqual(['a', '\uFEFFb']);
  });
});

describe('bytes that are not of the encoding', () => {
  it('half a pair, half a unit: U+FFFD in the text, the bytes beside it', () => {
    const bytes = Buffer.from('61003dd862000a0063000a0064', 'hex');
    expect(frame(each(bytes), { encoding: 'utf-16le' })).toEqual([
      { offset: 0, text: 'a\uFFFDb', bytes: '61003dd86200' },
      { offset: 8, text: 'c' },
      { offset: 12, text: '\uFFFD', bytes: '64' },
    ]);
  });

  it('a first byte without a second one does not take the line break with it', () => {
    const bytes = Buffer.from('c4e3c40a410aff0a', 'hex');
    expect(frame([bytes], { encoding: 'gbk' })).toEqual([
      { offset: 0, text: '你\uFFFD', bytes: 'c4e3c4' },
      { offset: 4, text: 'A' },
      { offset: 6, text: '\uFFFD', bytes: 'ff' },
    ]);
  });

  it('in latin1 there are none: every byte is a character, the same in every version of Node', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at)).subarray(14);
    expect(frame([bytes], { encoding: 'latin1' })).toEqual([{ offset: 0, text: bytes.toString('latin1') }]);
  });
});

const rule = { maxLines: 500, maxBytes: 1 << 20 };

describe('joined lines', () => {
  const text = '1 größer\r\n at x\n at y\n2\n3\n at z\n at w';
  const multiline = { ...rule, start: '^\\d' };
  const texts = ['1 größer\n at x\n at y', '2', '3\n at z\n at w'];

  it.each(['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'gbk'] as const)('of %s, at any block boundary', (encoding) => {
    const ascii = encoding === 'gbk' ? text.replaceAll('ö', 'o').replaceAll('ß', 's') : text;
    const bytes = encoded(ascii, encoding);
    const wanted = encoding === 'gbk' ? ['1 groser\n at x\n at y', ...texts.slice(1)] : texts;
    const whole = frame([bytes], { encoding, multiline });
    expect(whole.map((record) => record.text)).toEqual(wanted);
    const begins = [ascii.indexOf('1'), ascii.indexOf('2'), ascii.indexOf('3')];
    expect(whole.map(({ offset }) => offset)).toEqual(begins.map((at) => encoded(ascii.slice(0, at), encoding).length));
    expect(frame(each(bytes), { encoding, multiline })).toEqual(whole);
    expect(frame([bytes], { encoding, multiline }, 1)).toEqual(whole);
  });

  it('the position stays before an event that may go on, and its memory is counted', () => {
    const framing = framingOf({ ...roomy, multiline }, 100);
    const lines = noLines();
    framing.push(Buffer.from('1\n at x\n2\n at'), lines, 5000);
    expect(lines.records.map(plain)).toEqual([{ offset: 100, text: '1\n at x' }]);
    expect([framing.position, framing.end, framing.heldBytes, framing.isJoining]).toEqual([108, 113, 5, true]);
    framing.flushJoined?.(lines);
    expect(lines.records.map(plain).at(-1)).toEqual({ offset: 108, text: '2' });
    expect([framing.position, framing.end, framing.heldBytes, framing.isJoining]).toEqual([110, 113, 3, false]);
  });

  it('original bytes are kept when a line of them is not of the encoding', () => {
    const utf8 = Buffer.concat([Buffer.from('1 ö\n '), Buffer.of(0xff), Buffer.from('\n')]);
    expect(frame([utf8], { multiline })).toEqual([
      {
        offset: 0,
        text: '1 ö\n \uFFFD',
        bytes: Buffer.concat([Buffer.from('1 ö\n '), Buffer.of(0xff)]).toString('hex'),
      },
    ]);
    const gbk = Buffer.from('31c4e30a20ff0a', 'hex');
    expect(frame([gbk], { encoding: 'gbk', multiline })).toEqual([
      { offset: 0, text: '1你\n \uFFFD', bytes: '31c4e30a20ff' },
    ]);
  });

  it('a line that is too long stands alone', () => {
    const bytes = Buffer.from(`1\n at x\n at ${'y'.repeat(50)}\n at z\n2\n`);
    expect(frame([bytes], { maxLineBytes: 16, multiline }).map(({ text: each, code }) => [each, code])).toEqual([
      ['1\n at x', undefined],
      [` at ${'y'.repeat(12)}`, 'MILLRACE_E_LINE_TOO_LONG'],
      [' at z', undefined],
      ['2', undefined],
    ]);
  });

  it('asks the filter for events, not for lines', () => {
    const framing = framingOf({ ...roomy, multiline }, 0, (of, from, to) => of.slice(from, to).startsWith('1'));
    const lines = noLines();
    framing.push(Buffer.from('1\n2\n 1\n1\n 2\n3\n'), lines, 5000);
    expect([lines.records.map((record) => record.text), lines.filtered]).toEqual([['2\n 1'], 2]);
  });
});
