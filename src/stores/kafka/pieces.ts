/** A record takes a piece of a state, so that brokers take it for a message of usual size. */
const MAX_PIECE_LENGTH = 250_000;

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;

/** A text as the values of records; at least one. */
export function piecesOf(text: string, maxLength: number = MAX_PIECE_LENGTH): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  do {
    let to = Math.min(from + maxLength, text.length);
    // Half a character would not be one in UTF-8.
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to--;
    pieces.push(text.slice(from, to));
    from = to;
  } while (from < text.length);
  return pieces;
}
