import type { TestContext } from 'vitest';
import { describe, expect, it } from 'vitest';
import type { Running } from './harness.js';
import { linesOf, placeForEachTest, until, within } from './harness.js';
import { LogWriter } from './log-writer.js';

/** Files that were found, but not read, when they were rotated: the sink is stuck. */
const place = placeForEachTest();

const CONFIG = `name: stuck
source: { tail: { paths: ["logs/*.log"], maxOpenFiles: 8, pollMs: 200 } }
budgetBytes: 1048576
routes: [{ to: { file: { path: out/all.log, format: raw } } }]
`;

/** A service that cannot deliver: its disk is full. */
async function stuckService(context: TestContext): Promise<Running> {
  if (place().mountSmall('out', '32m') === undefined) context.skip('needs the right to mount a file system');
  place().write('out/filler', Buffer.alloc(32 * 1024 * 1024));
  place().write('pipeline.yaml', CONFIG);
  const running = place().start(['run', 'pipeline.yaml']);
  await until(running.stderr, () => running.stderr().includes('delivering: '));
  return running;
}

function linesOfWriter(writer: LogWriter): string[] {
  return writer.text(0, writer.count).split('\n').slice(0, -1);
}

const WAYS: readonly (readonly [string, (writer: LogWriter) => void])[] = [
  ['renamed', (writer) => writer.renameAndCreate(false)],
  ['copied and cut', (writer) => writer.copyAndTruncate(false)],
];

describe('a log that is rotated before it was read', () => {
  for (const [way, rotate] of WAYS) {
    for (const [size, lines] of [
      ['smaller', 10],
      ['larger', 500],
    ] as const) {
      it(`${way} after a kill -9, and the new file is ${size}: every line once, in order`, async (context) => {
        place().mkdir('logs');
        const writer = new LogWriter('a', place().path('logs/a.log'));
        writer.append(100);
        const running = await stuckService(context);
        running.kill('SIGKILL');
        await running.ended;
        rotate(writer);
        writer.append(lines);
        place().remove('out/filler');
        const { code, stderr } = await place().once();
        expect(code, stderr).toBe(0);
        expect(linesOf(place().path('out/all.log')), stderr).toEqual(linesOfWriter(writer));
      });

      it(`${way} while it waits for its turn, and the new file is ${size}: every line once, in order`, async (context) => {
        // As many as may be open, each with more than the budget has room for.
        const others = Array.from({ length: 8 }, (_, at) => `${'o'.repeat(20_000)}${at}\n`.repeat(60));
        others.forEach((text, at) => place().write(`logs/a${at}.log`, text));
        const writer = new LogWriter('z', place().path('logs/z.log'));
        writer.append(100);
        const running = await stuckService(context);
        rotate(writer);
        writer.append(lines);
        place().remove('out/filler');
        const isOurs = (line: string): boolean => line.includes('z#');
        const ours = (): string[] => linesOf(place().path('out/all.log')).filter(isOurs);
        await until('all lines', () => ours().length >= writer.count, 6000).catch(() => undefined);
        running.kill('SIGTERM');
        const { code, stderr } = await within(10_000, 'the end', running.ended);
        expect(ours(), stderr).toEqual(linesOfWriter(writer));
        expect(code, stderr).toBe(0);
      });
    }
  }
});
