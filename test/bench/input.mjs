// The log that everything is measured with: `time|level|message` lines of about 130 bytes, 15 % of them ERROR or WARN.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

const levels = [...Array(14).fill('INFO'), ...Array(3).fill('DEBUG'), 'ERROR', 'ERROR', 'WARN'];
const startedAt = Date.UTC(2026, 0, 1);

/** The n-th line. */
export function lineAt(n) {
  const time = new Date(startedAt + n * 3).toISOString();
  const level = levels[(n * 7919) % levels.length];
  return `${time}|${level}|order ${n}: request of user ${n % 9973} to /api/v1/orders/${n % 7919} answered by worker ${n % 13} in ${n % 400} ms, status ${200 + (n % 5)}\n`;
}

/** Writes the log. */
export function writeInput(path, lines) {
  const file = openSync(path, 'w');
  let text = '';
  for (let n = 0; n < lines; n++) {
    text += lineAt(n);
    if (text.length > 1_000_000 || n === lines - 1) {
      writeSync(file, text);
      text = '';
    }
  }
  // Or the system would be busy writing it out while something else is measured.
  fsyncSync(file);
  closeSync(file);
}
