import type { RecordFilter } from '../model/source.js';
import { LineJoiner } from '../operators/line-joiner.js';
import { textDecoder } from './decode-text.js';
import { DecodingSplitter } from './decoding-splitter.js';
import type { Framing, FramingOptions } from './framing.js';
import { JoinedLines } from './joined-lines.js';
import { LineSplitter } from './lines.js';

/** The framing that the options ask for, of a lane whose next byte is at `position`. */
export function framingOf(options: FramingOptions, position: number, filter?: RecordFilter): Framing {
  const { encoding, multiline } = options;
  const isJoined = multiline !== undefined;
  // A line alone says nothing of the event that it is a part of.
  const ofLines = isJoined ? undefined : filter;
  const lines =
    encoding === 'utf-8'
      ? new LineSplitter(options, position, ofLines)
      : new DecodingSplitter(options, textDecoder(encoding), position, { filter: ofLines, keepsBytes: isJoined });
  if (!isJoined) return lines;
  return new JoinedLines(lines, new LineJoiner(multiline), textDecoder(encoding).lineFeed, filter);
}
