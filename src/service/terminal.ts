import type { WriteText } from '../sinks/console/write-to.js';

/** Back to the beginning of the line, which is emptied. */
export const CLEAR_LINE = '\r\u001b[2K';

/** Writes over the line that shows the progress, if there is one; the next one comes below. */
export function overProgress(write: WriteText, isShown: boolean): WriteText {
  return isShown ? (text) => write(CLEAR_LINE + text) : write;
}
