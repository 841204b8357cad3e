import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';

const LOG = '/logs/app.log';

function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => String(first + at));
}

/** gzip, all at once. */
function compress(scene: TailScene): void {
  scene.world.compress(LOG)!();
}

/** Why archives could not be read. */
function damages(scene: TailScene): string[] {
  const notices = scene.lives.flatMap((life) => life.notices);
  return notices.filter(({ code }) => code === 'MILLRACE_E_ARCHIVE_DAMAGED').map(({ message }) => message);
}

describe.each([['/logs/*.log'], ['/logs/*'], ['/logs/*.{log,gz}']])(
  'with %s, a rotated file that was compressed',
  (pattern) => {
    const tail = { paths: [pattern], pollMs: 50 };

    it('is not read again, neither now nor after a restart, wherever it is shifted', () => {
      const scene = new TailScene({ tail });
      scene.world.append(LOG, linesOf(1, 100));
      scene.start();
      for (let round = 0; round < 3; round++) {
        scene.world.rename(LOG, { creates: true });
        scene.run(300);
        const finish = scene.world.compress(LOG)!;
        scene.run(300);
        finish();
        scene.world.append(LOG, lineOf(101 + round));
        scene.run(20_000);
      }
      expect(scene.kept).toEqual(numbers(1, 103));
      scene.stop();
      scene.start(20_000);
      expect(scene.kept).toEqual(numbers(1, 103));
      expect(damages(scene)).toEqual([]);
      expect(scene.lost).toEqual([]);
    });

    it('while nobody looked: the rest of it comes out of the archive, and what came and went in between', () => {
      const scene = new TailScene({ tail });
      scene.world.append(LOG, linesOf(1, 10));
      scene.start();
      scene.stop();
      scene.world.append(LOG, linesOf(11, 10));
      for (let round = 0; round < 3; round++) {
        scene.world.rename(LOG, { creates: true });
        scene.clock.runFor(1000);
        compress(scene);
        scene.clock.runFor(1000);
        scene.world.append(LOG, linesOf(21 + round * 10, 10));
        scene.clock.runFor(1000);
      }
      scene.start(3000);
      expect(
        scene.kept
          .map(Number)
          .sort((a, b) => a - b)
          .map(String),
      ).toEqual(numbers(1, 50));
      expect(scene.incarnations).toHaveLength(4);
      expect(scene.lost).toEqual([]);
      scene.stop();
      scene.start(20_000);
      expect(scene.kept).toHaveLength(50);
    });

    it('the moment it was cut (copytruncate with compress) loses nothing', () => {
      const scene = new TailScene({ tail });
      scene.world.append(LOG, linesOf(1, 10));
      scene.start();
      scene.world.append(LOG, linesOf(11, 10));
      scene.world.copy(LOG);
      compress(scene);
      scene.world.truncate(LOG, lineOf(21));
      scene.run(5000);
      expect(scene.kept).toEqual(numbers(1, 21));
      expect(scene.lost).toEqual([]);
    });
  },
);

describe('an archive that nobody knows', () => {
  const tail = { paths: ['/logs/*.gz'], pollMs: 50 };
  const ARCHIVE = '/logs/old.log.gz';

  it('is read once, from its beginning; positions are those of its content', () => {
    const scene = new TailScene({ tail });
    scene.disk.append(ARCHIVE, gzipSync(linesOf(1, 9000)));
    scene.start(2000);
    expect(scene.kept).toEqual(numbers(1, 9000));
    expect(scene.paths).toEqual([ARCHIVE]);
    expect(scene.life.settled.at(-1)!.position).toBe(linesOf(1, 9000).length);
    const opened = scene.life.files.count('open', ARCHIVE);
    scene.run(20_000);
    expect(scene.life.files.count('open', ARCHIVE)).toBe(opened);
    scene.stop();
    scene.start(20_000);
    expect(scene.kept).toHaveLength(9000);
    expect(scene.life.files.count('open', ARCHIVE)).toBe(0);
    scene.disk.move(ARCHIVE, '/logs/older.log.gz');
    scene.run(20_000);
    expect(scene.kept).toHaveLength(9000);
    expect(scene.life.files.count('open', '/logs/older.log.gz')).toBe(0);
  });

  it('is read in several members', () => {
    const scene = new TailScene({ tail, once: true });
    scene.disk.append(ARCHIVE, Buffer.concat([gzipSync(linesOf(1, 10)), gzipSync(linesOf(11, 10))]));
    scene.start(2000);
    expect(scene.kept).toEqual(numbers(1, 20));
    expect(scene.life.isDone).toBe(true);
  });

  it('is waited for until it is complete', () => {
    const scene = new TailScene({ tail });
    scene.start();
    const packed = gzipSync(linesOf(1, 100));
    for (let at = 0; at < packed.length; at += 100) {
      scene.disk.append(ARCHIVE, packed.subarray(at, at + 100));
      scene.run(50);
    }
    scene.run(1000);
    expect(scene.kept).toEqual(numbers(1, 100));
    expect(damages(scene)).toEqual([]);
  });

  it('and is incomplete: what can be read comes out, it is said once, and nothing is tried again', () => {
    const scene = new TailScene({ tail });
    scene.disk.append(ARCHIVE, gzipSync(linesOf(1, 1000)).subarray(0, 900));
    scene.start(20_000);
    expect(scene.kept.length).toBeGreaterThan(100);
    expect(scene.kept).toEqual(numbers(1, scene.kept.length));
    expect(damages(scene)).toHaveLength(1);
    scene.stop();
    scene.start(20_000);
    expect(damages(scene)).toHaveLength(1);
  });

  it('and is no archive at all: it is said', () => {
    const scene = new TailScene({ tail, once: true });
    scene.disk.append(ARCHIVE, 'ERROR|1|plain\n');
    scene.start(2000);
    expect(scene.life.isDone).toBe(true);
    expect([scene.kept, damages(scene).length]).toEqual([[], 1]);
  });

  it('and is there at the first start is left alone when reading starts at the end, for good', () => {
    const scene = new TailScene({ tail: { ...tail, from: 'end' } });
    scene.disk.append(ARCHIVE, gzipSync(linesOf(1, 10)));
    scene.start(2000);
    scene.stop();
    scene.start(2000);
    expect(scene.kept).toEqual([]);
    scene.disk.append('/logs/next.log.gz', gzipSync(linesOf(11, 10)));
    scene.run(2000);
    expect(scene.kept).toEqual(numbers(11, 20));
  });

  it('is a copy for as long as the file it was made of is there', () => {
    const scene = new TailScene({ tail: { ...tail, paths: ['/logs/*'] } });
    scene.world.append(LOG, linesOf(1, 10));
    scene.disk.append(`${LOG}.gz`, gzipSync(linesOf(1, 10)));
    scene.start(20_000);
    expect(scene.kept).toEqual(numbers(1, 10));
  });
});
