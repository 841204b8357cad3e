import { map, mergeMap, NEVER, of, ReplaySubject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../src/model/batch.js';
import type { OpenFile } from '../../../src/model/files.js';
import type { Demand, SourceContext } from '../../../src/model/source.js';
import { tailSource } from '../../../src/sources/tail/tail-source.js';
import { FakeDisk } from '../../../src/testing/fake-disk.js';
import { FakeFiles } from '../../../src/testing/fake-files.js';
import { tailDefaults } from '../../fakes/pipeline-life.js';
import { Seeded } from '../../../src/testing/seeded.js';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';

const LOG = '/logs/app.log';

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
}

describe('finding files', () => {
  it('a file that is created late is read from its beginning', () => {
    const scene = new TailScene({ tail: { from: 'end' } });
    scene.start();
    scene.world.append(LOG, lineOf(1));
    scene.run(1000);
    expect(scene.kept).toEqual(['1']);
  });

  it('`from: end` leaves out what is there at the first start, and nothing at later ones', () => {
    const scene = new TailScene({ tail: { from: 'end' } });
    scene.world.append(LOG, lineOf(1) + 'ERROR|half');
    scene.start();
    scene.world.append(LOG, ' of it|x\n' + lineOf(2));
    scene.run(500);
    scene.stop();
    scene.world.append(LOG, lineOf(3));
    scene.world.append('/logs/new.log', lineOf(4));
    scene.start();
    expect(scene.kept.slice(-3)).toEqual(['2', '3', '4']);
    expect(scene.kept).not.toContain('1');
  });

  it('changes are read at once when they are notified, and at the next look when not', () => {
    for (const [watches, ms] of [
      ['always', 40],
      ['never', 400],
    ] as const) {
      const scene = new TailScene({ tail: { pollMs: 300 }, files: { watches } });
      scene.world.append(LOG, lineOf(1));
      scene.start(1000);
      scene.world.append(LOG, lineOf(2));
      scene.run(ms);
      expect(scene.kept).toEqual(['1', '2']);
    }
  });

  it('files shorter than a fingerprint, and empty ones', () => {
    const scene = new TailScene();
    for (const name of ['a', 'b', 'c']) scene.world.append(`/logs/${name}.log`, name === 'c' ? '\n' : lineOf(name));
    scene.disk.append('/logs/empty.log', '');
    scene.start();
    scene.stop();
    scene.world.append('/logs/c.log', lineOf('c'));
    scene.world.append('/logs/empty.log', lineOf('e'));
    scene.start();
    expect(scene.kept.sort()).toEqual(['a', 'b', 'c', 'e']);
  });
});

describe('the last line', () => {
  it('of a rotated file without a line end comes out after rotateWaitMs', () => {
    const scene = new TailScene({ tail: { rotateWaitMs: 500 } });
    scene.world.append(LOG, lineOf(1) + 'ERROR|2|half');
    scene.start();
    scene.world.rename(LOG, { creates: true });
    scene.run(450);
    expect(scene.kept).toEqual(['1']);
    scene.run(500);
    expect(scene.kept).toEqual(['1', '2']);
  });

  it('of a rotated file is whole when its end comes before rotateWaitMs, though nobody looks', () => {
    const scene = new TailScene({ tail: { rotateWaitMs: 500, pollMs: 5000 } });
    scene.world.append(LOG, 'ERROR|1|ha');
    scene.start(5100);
    const old = scene.world.rename(LOG, { creates: true })!;
    scene.run(5200);
    scene.world.appendLate(old, 'lf\n');
    scene.run(2000);
    expect(scene.kept).toEqual(['1']);
    expect(scene.disk.text('/out/kept.ndjson')).toContain('"message":"half"');
  });

  it('of a current file waits for its line end', () => {
    const scene = new TailScene();
    scene.world.append(LOG, 'ERROR|1|ha');
    scene.start(60_000);
    expect(scene.kept).toEqual([]);
    scene.world.append(LOG, 'lf\n');
    scene.run(500);
    expect(scene.kept).toEqual(['1']);
  });

  it('is a line with `once`', () => {
    const scene = new TailScene({ once: true });
    scene.world.append(LOG, lineOf(1) + 'ERROR|2|half');
    scene.start(2000);
    expect(scene.life.isDone).toBe(true);
    expect(scene.kept).toEqual(['1', '2']);
  });
});

describe('`once`', () => {
  it('completes without any file', () => {
    const scene = new TailScene({ once: true });
    expect(scene.start(2000).isDone).toBe(true);
  });

  it('reads what came to a path between two runs, each line once', () => {
    const scene = new TailScene({ once: true });
    for (let number = 1; number < 5; number++) {
      scene.world.append(LOG, lineOf(number));
      expect(scene.start(2000).isDone).toBe(true);
      if (number === 2) scene.world.rename(LOG, { creates: true });
    }
    expect(scene.kept).toEqual(['1', '2', '3', '4']);
  });

  it('ends with an error notice when a file cannot be read for startDeadlineMs, and reads the others', () => {
    const scene = new TailScene({ once: true });
    scene.world.append(LOG, lineOf(1));
    scene.world.append('/logs/b.log', lineOf(2));
    scene.start(0);
    scene.life.files.faults.add({ call: 'open', path: LOG, code: 'MILLRACE_E_FILE_PERMISSION' });
    scene.run(60_000);
    expect(scene.life.isDone).toBe(true);
    expect(scene.kept).toEqual(['2']);
    const codes = scene.life.notices.map(({ code }) => code);
    expect(codes).toContain('MILLRACE_E_FLOW_START_DEADLINE');
  });
});

describe('a file that cannot be read', () => {
  it('does not hold up its successor, and is read when it was mended', () => {
    const scene = new TailScene();
    scene.world.append(LOG, lineOf(1));
    scene.start(0);
    const fault = { call: 'open', path: '/logs/app.log.1', code: 'MILLRACE_E_FILE_PERMISSION' } as const;
    scene.life.files.faults.add(fault).add({ ...fault, path: LOG });
    scene.run(300);
    scene.world.rename(LOG, { creates: false });
    scene.run(300);
    scene.life.files.faults.delete([...scene.life.files.faults][1]!);
    scene.world.append(LOG, lineOf(2));
    scene.run(20_000);
    expect(scene.kept).toEqual(['2']);
    scene.life.files.faults.clear();
    scene.run(20_000);
    expect(scene.kept).toEqual(['2', '1']);
    expect(scene.incarnations).toHaveLength(2);
  });

  it.each(['open', 'read'] as const)('takes no other file’s turn; the failing call: %s', (call) => {
    const scene = new TailScene({ tail: { maxOpenFiles: 2 } });
    scene.start(0);
    for (let number = 1; number <= 6; number++) scene.world.append(`/logs/${number}.log`, lineOf(number));
    for (const number of [1, 2, 3]) {
      scene.life.files.faults.add({ call, path: `/logs/${number}.log`, code: 'MILLRACE_E_FILE_IO' });
    }
    scene.run(30_000);
    expect(scene.kept.sort()).toEqual(['4', '5', '6']);
    scene.life.files.faults.clear();
    scene.run(30_000);
    expect(scene.kept.sort()).toEqual(numbers(1, 6));
  });

  it('after a restart goes on where it was', () => {
    const scene = new TailScene();
    scene.world.append(LOG, lineOf(1));
    scene.start();
    scene.stop();
    scene.world.append(LOG, lineOf(2));
    scene.start(0);
    scene.life.files.faults.add({ call: 'open', path: LOG, code: 'MILLRACE_E_FILE_PERMISSION' });
    scene.run(5000);
    scene.life.files.faults.clear();
    scene.run(20_000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.incarnations).toHaveLength(1);
  });
});

describe('many files', () => {
  it('3000 of them: at most maxOpenFiles are open, every line comes out, later ones too', () => {
    const scene = new TailScene({ tail: { maxOpenFiles: 200, pollMs: 1000 }, files: { maxLatencyMs: 1 } });
    for (let number = 1; number <= 3000; number++) scene.world.append(`/logs/${number}.log`, lineOf(number));
    scene.start(1500, { checkpointEveryMs: 1000 });
    scene.world.append('/logs/1500.log', lineOf(3001));
    // So many looks until it is this file's turn.
    scene.run(4000);
    expect(new Set(scene.kept).size).toBe(3001);
    expect(scene.kept).toHaveLength(3001);
    // The sinks and the checkpoint have theirs; a look asks about at most 16 at a time.
    expect(scene.life.files.mostOpenFiles).toBeLessThanOrEqual(200 + 3 + 16);
  }, 60_000);

  it('more than may be open: one that grows takes the turn of one that does not', () => {
    const scene = new TailScene({ tail: { maxOpenFiles: 2 } });
    for (let number = 1; number <= 5; number++) scene.world.append(`/logs/${number}.log`, lineOf(number));
    scene.start();
    for (let round = 1; round <= 3; round++) {
      for (let number = 1; number <= 5; number++) scene.world.append(`/logs/${number}.log`, lineOf(number + 5 * round));
      scene.run(500);
    }
    expect(
      scene.kept
        .map(Number)
        .sort((a, b) => a - b)
        .map(String),
    ).toEqual(numbers(1, 20));
  });
});

describe('stopping', () => {
  it('in the middle settles what was read, and the next start goes on from there', () => {
    const scene = new TailScene({ budgetBytes: 2000 });
    scene.world.append(LOG, linesOf(1, 20_000));
    scene.start(0);
    let stops = 0;
    while (scene.kept.length < 20_000 && stops < 200) {
      scene.run(12 + stops);
      expect(scene.stop()).toBe(true);
      scene.start(0);
      stops++;
    }
    expect(stops).toBeGreaterThan(1);
    expect(scene.kept).toEqual(numbers(1, 20_000));
  });

  it('while the sink’s disk is full and a lane waits for its reservation', () => {
    const scene = new TailScene({ budgetBytes: 1000 });
    scene.world.append(LOG, linesOf(1, 500));
    scene.start(0);
    scene.run(8);
    const fault = { call: 'write', path: '/out/kept.ndjson', code: 'MILLRACE_E_FILE_NO_SPACE' } as const;
    scene.life.files.faults.add(fault);
    scene.run(5000);
    scene.life.stop();
    scene.run(1000);
    scene.life.files.faults.clear();
    scene.run(60_000);
    expect(scene.life.isDone).toBe(true);
    scene.life.bury();
    scene.start(3000);
    expect(scene.kept).toEqual(numbers(1, 500));
  });
});

describe('demand', () => {
  interface Opened {
    readonly files: FakeFiles;
    readonly reads: { readonly from: number; readonly bytes: number }[];
    readonly batches: Batch[];
  }

  /** The source alone, with a demand of the test's own. */
  function open(demand: Demand, blockBytes?: number): Opened {
    const clock = new VirtualClock();
    const disk = new FakeDisk({ random: new Seeded(1), now: () => clock.now() });
    disk.append(LOG, linesOf(1, 100));
    const files = new FakeFiles(disk, clock);
    const batches: Batch[] = [];
    const context: SourceContext = {
      isFirstStart: true,
      startDeadlineMs: 30_000,
      saved: new Map(),
      demand,
      stop: new ReplaySubject<void>(1),
      once: false,
      forget: () => {},
      report: () => {},
      behind: () => {},
      durable: NEVER,
      ended: () => {},
    };
    const reads: Opened['reads'] = [];
    const noted = (file: OpenFile): OpenFile => ({
      ...file,
      read: (target, from) => {
        reads.push({ from, bytes: target.length });
        return file.read(target, from);
      },
    });
    const { open: openFile } = files;
    files.open = (...how) => openFile(...how).pipe(map(noted));
    tailSource(tailDefaults, { files, ...(blockBytes === undefined ? {} : { blockBytes }) }, clock)
      .open(context)
      .pipe(mergeMap((lane) => lane.batches))
      .subscribe((batch) => batches.push(batch));
    clock.runFor(10_000);
    return { files, reads, batches };
  }

  it('that is shut: no content is read', () => {
    const { files, batches } = open({ reserve: () => NEVER, adjust: () => {} });
    // Only what proves later which file was seen: its first and its last bytes.
    expect(files.count('read')).toBe(2);
    expect(batches).toEqual([]);
  });

  it('that is shut after a block: the next one was read ahead, and no further', () => {
    let reserved = 0;
    const shut: Demand = { reserve: () => (reserved++ === 0 ? of(undefined) : NEVER), adjust: () => {} };
    const { reads, batches } = open(shut, 300);
    // Both with the bytes before them, if there are any. What proves later which file was seen is shorter.
    expect(reads.filter(({ bytes }) => bytes >= 300)).toEqual([
      { from: 0, bytes: 300 },
      { from: 300 - 64, bytes: 300 + 64 },
    ]);
    expect(batches).toHaveLength(1);
  });

  it('gets back what was reserved beyond what was read', () => {
    let reserved = 0;
    const { batches } = open({
      reserve: (_, bytes) => {
        reserved += bytes;
        return of(undefined);
      },
      adjust: (_, bytes) => (reserved += bytes),
    });
    expect(batches.length).toBeGreaterThan(0);
    expect(reserved).toBe(batches.reduce((sum, { bytes }) => sum + bytes, 0));
  });
});
