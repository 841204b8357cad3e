import { isAscii } from 'node:buffer';

/** The encodings that are read, beside UTF-8: those that old systems write. */
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'gbk'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** What has to be known of an encoding to read lines of it. */
export interface TextCodec {
  /** A line feed. A byte of the same value may be part of another character: it has to be aligned to its length. */
  readonly lineFeed: Buffer;
  readonly carriageReturn: Buffer;
  readonly byteOrderMark: Buffer;
  /** What is not of the encoding becomes U+FFFD. */
  decode(bytes: Buffer): string;
  /** Where to cut `line` at `end` or a little before, between two characters. */
  characterEnd(line: Buffer, end: number): number;
}

const none = Buffer.alloc(0);

/** ISO 8859-1: what Node's TextDecoder makes of `latin1` is another code page, in some versions. */
const latin1: TextCodec = {
  lineFeed: Buffer.from('\n'),
  carriageReturn: Buffer.from('\r'),
  byteOrderMark: none,
  decode: (bytes) => bytes.toString('latin1'),
  characterEnd: (_, end) => end,
};

function utf8(): TextCodec {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return { ...latin1, byteOrderMark: Buffer.from('\uFEFF'), decode: (bytes) => decoder.decode(bytes) };
}

function gbk(): TextCodec {
  const decoder = new TextDecoder('gbk', { ignoreBOM: true });
  return {
    ...latin1,
    // Most of most logs, and without the crossing into the converter.
    decode: (bytes) =>
      isAscii(bytes) ? bytes.toString('latin1') : decodedBetween(bytes, NEVER_GBK, (part) => decoder.decode(part)),
    characterEnd: gbkCharacterEnd,
  };
}

/** No character has it, and Node 20 would leave it out without a trace. */
const NEVER_GBK = 0xff;

function decodedBetween(bytes: Buffer, never: number, decode: (bytes: Uint8Array) => string): string {
  let text = '';
  let from = 0;
  for (let at = bytes.indexOf(never); at >= 0; at = bytes.indexOf(never, from)) {
    text += `${decode(bytes.subarray(from, at))}\uFFFD`;
    from = at + 1;
  }
  return text + decode(bytes.subarray(from));
}

/** Only the beginning of the line tells which bytes begin characters. Source: GB 18030-2022, lengths by first bytes. */
function gbkCharacterEnd(line: Buffer, end: number): number {
  let at = 0;
  for (let next = 0; next <= end && at < line.length;) {
    at = next;
    const [first = 0, second = 0] = [line[at], line[at + 1]];
    const isFour = second >= 0x30 && second <= 0x39;
    next += first < 0x81 || first === 0xff || second < 0x30 ? 1 : isFour ? 4 : 2;
  }
  return at;
}

function utf16(name: 'utf-16le' | 'utf-16be'): TextCodec {
  const decoder = new TextDecoder(name, { ignoreBOM: true });
  const unit = (code: number): Buffer => {
    const bytes = Buffer.alloc(2);
    if (name === 'utf-16le') bytes.writeUInt16LE(code);
    else bytes.writeUInt16BE(code);
    return bytes;
  };
  const codeAt = (bytes: Buffer, at: number): number =>
    name === 'utf-16le' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  return {
    lineFeed: unit(10),
    carriageReturn: unit(13),
    byteOrderMark: unit(0xfeff),
    decode: (bytes) => decoder.decode(bytes),
    characterEnd: (line, limit) => {
      const end = limit - (limit % 2);
      if (end < 2) return end;
      const last = codeAt(line, end - 2);
      // The first half of a pair stays with its second one.
      return last >= 0xd800 && last <= 0xdbff ? end - 2 : end;
    },
  };
}

/** One for each lane: a decoder has a state. */
export function textDecoder(encoding: Encoding): TextCodec {
  switch (encoding) {
    case 'utf-8':
      return utf8();
    case 'latin1':
      return latin1;
    case 'gbk':
      return gbk();
    default:
      return utf16(encoding);
  }
}
