// What the machine can do: the same reading, splitting, filtering, JSON and writing as the pipeline of main.mjs, in one
// loop, without positions, checkpoint, ledger, dead letters, or anything that could be configured.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const [, , input, output] = process.argv;
const severities = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 };
const from = openSync(input, 'r');
const to = openSync(output, 'w');
// The size at which this loop is fastest here: larger strings live in a slower part of the heap.
const block = Buffer.allocUnsafe(64 * 1024);
let held = 0;
let position = 0;
let lines = 0;
let kept = 0;
const startedAt = performance.now();
for (;;) {
  const count = readSync(from, block, held, block.length - held, null);
  if (count === 0) break;
  const end = block.lastIndexOf(10, held + count - 1) + 1;
  const text = block.toString('utf8', 0, end);
  let out = '';
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf('\n', at);
    const first = text.indexOf('|', at);
    const second = text.indexOf('|', first + 1);
    const level = text.substring(first + 1, second);
    lines++;
    if (level === 'ERROR' || level === 'WARN') {
      kept++;
      out += `${JSON.stringify({
        '@timestamp': text.substring(at, first),
        'log.level': level,
        'event.severity': severities[level],
        message: text.substring(second + 1, lineEnd),
        'log.file.path': input,
        'event.id': `0123456789abcdef:${position + at}`,
      })}\n`;
    }
    at = lineEnd + 1;
  }
  position += end;
  block.copyWithin(0, end, held + count);
  held = held + count - end;
  if (out !== '') writeSync(to, out);
}
const seconds = (performance.now() - startedAt) / 1000;
closeSync(from);
closeSync(to);
console.log(JSON.stringify({ read: lines, delivered: kept, seconds }));
