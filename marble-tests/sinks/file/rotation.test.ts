import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/testing/fake-files.js';
import { OUT } from '../../fakes/pipeline-life.js';
import { linesOf, TailScene } from '../../fakes/tail-scene.js';

const LOG = '/logs/app.log';
const FOREIGN = '{"number":"x"}\n';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Looks seldom: days go by. */
const SLOW = { pollMs: 20 * 60_000 };

function outputs({ disk }: TailScene): string[] {
  return disk.paths
    .filter((path) => path.startsWith(OUT))
    .map((path) => path.slice(OUT.length))
    .sort();
}

function numbers(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(first + at));
}

function codesOf({ life }: TailScene): (string | undefined)[] {
  return life.notices.map(({ code }) => code);
}

describe('rotation by size', () => {
  it('no file is larger than maxBytes, every line is in one of them, in order', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 } });
    scene.disk.append(LOG, linesOf(0, 50));
    scene.start(2000);
    expect(scene.kept).toEqual(numbers(0, 50));
    expect(outputs(scene).length).toBeGreaterThan(5);
    for (const name of outputs(scene)) expect(scene.disk.content(OUT + name).length).toBeLessThanOrEqual(1000);
    expect(scene.life.settled.map(({ ledger }) => ledger.legs['out']?.duplicates)).toEqual([0]);
    expect(scene.stop()).toBe(true);
  });

  it('a line that is longer has a file of its own', () => {
    const scene = new TailScene({ rotate: { maxBytes: 300 } });
    scene.disk.append(LOG, `ERROR|0|a\nERROR|1|${'long'.repeat(100)}\nERROR|2|c\n`);
    scene.start(2000);
    expect(scene.kept).toEqual(['0', '1', '2']);
    expect(scene.disk.text(`${OUT}.2`).split('\n').length).toBe(2);
    expect(outputs(scene)).toEqual(['', '.1', '.2']);
  });

  it('goes on with the numbers after a restart; files that were there before are never touched', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000, keep: 1 }, gzip: true });
    scene.disk.append(`${OUT}.3`, FOREIGN);
    scene.disk.append(LOG, linesOf(0, 10));
    scene.start(2000);
    scene.stop();
    scene.disk.append(LOG, linesOf(10, 10));
    scene.start(2000);
    expect(scene.disk.text(`${OUT}.3`)).toBe(FOREIGN);
    expect(outputs(scene).length).toBe(3);
    expect(outputs(scene)).toContain('.3');
    expect(scene.life.settled.length).toBeGreaterThan(0);
    expect(scene.kept.at(-1)).toBe('19');
  });

  it('goes on at its end when rotation is switched on later, and is cut right when it is switched off', () => {
    const scene = new TailScene();
    scene.disk.append(LOG, linesOf(0, 10));
    scene.start();
    scene.stop();
    scene.disk.append(LOG, linesOf(10, 10));
    scene.start(1000, { rotate: { maxBytes: 500 } });
    scene.life.bury();
    scene.disk.append(LOG, linesOf(20, 10));
    scene.start(1000);
    expect(scene.kept).toEqual(numbers(0, 30));
  });
});

describe('rotation by time', () => {
  it('begins a new file at the full hour, also when nothing is written then', () => {
    const scene = new TailScene({ tail: SLOW, rotate: { every: 'hour' } });
    scene.disk.append(LOG, linesOf(0, 2));
    scene.start(HOUR_MS - 10);
    expect(outputs(scene)).toEqual(['']);
    scene.run(1000);
    expect(outputs(scene)).toEqual(['', '.1']);
    // Empty files are not rotated.
    scene.run(5 * HOUR_MS);
    expect(outputs(scene)).toEqual(['', '.1']);
    scene.disk.append(LOG, linesOf(2, 2));
    scene.run(2 * HOUR_MS);
    expect(outputs(scene)).toEqual(['', '.1', '.2']);
    expect(scene.kept).toEqual(numbers(0, 4));
  });

  it('a file whose day ended while nothing ran is rotated at the start', () => {
    const scene = new TailScene({ rotate: { every: 'day' } });
    scene.disk.append(LOG, linesOf(0, 2));
    scene.start();
    scene.stop();
    scene.clock.runFor(DAY_MS);
    scene.start();
    expect(outputs(scene)).toEqual(['', '.1']);
    expect(scene.disk.text(OUT)).toBe('');
  });
});

describe('rotated files', () => {
  it('the oldest are removed beyond `keep`', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000, keep: 2 } });
    scene.disk.append(LOG, linesOf(0, 50));
    scene.start(3000);
    const [, ...rotated] = outputs(scene);
    expect(rotated.length).toBe(2);
    const left = scene.kept.map(Number);
    expect(left).toEqual(numbers(50 - left.length, left.length).map(Number));
  });

  it('are removed when they are older than maxAgeDays, also when nothing is written', () => {
    const scene = new TailScene({ tail: SLOW, rotate: { every: 'hour', maxAgeDays: 2 } });
    scene.disk.append(LOG, linesOf(0, 2));
    scene.start(DAY_MS);
    expect(outputs(scene)).toEqual(['', '.1']);
    scene.run(1.1 * DAY_MS);
    expect(outputs(scene)).toEqual(['']);
  });

  it('are compressed, one at a time; a run with `once` ends when all of them are', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 }, gzip: true, once: true });
    scene.disk.append(LOG, linesOf(0, 50));
    scene.start(3000);
    expect(scene.life.isDone).toBe(true);
    expect(scene.kept).toEqual(numbers(0, 50));
    expect(
      outputs(scene)
        .slice(1)
        .every((name) => /^\.\d+\.gz$/.test(name)),
    ).toBe(true);
    expect(outputs(scene).length).toBeGreaterThan(5);
  });

  it('what a crash left behind is removed at the start', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 }, gzip: true });
    scene.disk.append(LOG, linesOf(0, 40));
    scene.start(2000);
    scene.stop();
    const before = outputs(scene);
    expect(before).toContain('.1.gz');
    scene.disk.append(`${OUT}.1`, 'the original');
    scene.disk.append(`${OUT}.1.gz.tmp`, 'half');
    scene.start(2000);
    expect(outputs(scene)).toEqual(before);
  });
});

describe('a rotation that fails', () => {
  const failing: readonly Fault[] = [
    { call: 'rename', path: OUT, code: 'MILLRACE_E_FILE_PERMISSION' },
    { call: 'sync', path: OUT, code: 'MILLRACE_E_FILE_IO' },
    { call: 'stat', path: `${OUT}.1`, code: 'MILLRACE_E_FILE_IO' },
  ];

  it.each(failing)('$call: is reported and tried again; the file grows meanwhile', (fault) => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 } });
    scene.disk.append(LOG, linesOf(0, 3));
    scene.start();
    scene.life.files.faults.add(fault);
    scene.disk.append(LOG, linesOf(3, 50));
    scene.run(30_000);
    expect(codesOf(scene)).toContain(fault.code);
    expect(scene.kept).toEqual(numbers(0, 53));
    expect(outputs(scene)).toEqual(['']);
    scene.life.files.faults.clear();
    scene.run(120_000);
    scene.disk.append(LOG, linesOf(53, 1));
    scene.run(2000);
    expect(outputs(scene)).toEqual(['', '.1']);
    expect(scene.kept).toEqual(numbers(0, 54));
    expect(scene.stop()).toBe(true);
  });

  it.each(['.1', '.1.gz'])('somebody’s file is at %s: it stays, and the rotation comes when it is gone', (name) => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 }, gzip: true });
    scene.disk.append(LOG, linesOf(0, 3));
    scene.start();
    scene.disk.append(OUT + name, 'foreign\n');
    scene.disk.append(LOG, linesOf(3, 20));
    scene.run(5000);
    expect(codesOf(scene)).toContain('MILLRACE_E_FILE_EXISTS');
    expect(scene.disk.text(OUT + name)).toBe('foreign\n');
    scene.disk.remove(OUT + name);
    scene.run(120_000);
    scene.disk.append(LOG, linesOf(23, 1));
    scene.run(2000);
    expect(outputs(scene)).toEqual(['', '.1.gz']);
    expect(scene.kept).toEqual(numbers(0, 24));
  });

  it('in its middle, when no new file can be opened: deliveries wait, nothing is lost, a crash undoes it', () => {
    for (const dies of [false, true]) {
      const scene = new TailScene({ rotate: { maxBytes: 1000 } });
      scene.disk.append(LOG, linesOf(0, 3));
      scene.start();
      const fault: Fault = { call: 'open', path: OUT, code: 'MILLRACE_E_FILE_TOO_MANY_OPEN' };
      scene.life.files.faults.add(fault);
      scene.disk.append(LOG, linesOf(3, 20));
      scene.run(5000);
      expect(codesOf(scene)).toContain('MILLRACE_E_FILE_TOO_MANY_OPEN');
      expect(outputs(scene)).toEqual(['.1']);
      scene.life.files.faults.clear();
      if (dies) {
        scene.life.bury();
        scene.start(5000);
      } else scene.run(60_000);
      expect(scene.kept).toEqual(numbers(0, 23));
      expect(scene.life.settled.flatMap(({ ledger }) => ledger.legs['out']?.duplicates ?? 0)).not.toContain(-1);
      if (!dies) {
        const { settled } = scene.life;
        expect(settled.reduce((sum, { ledger }) => sum + (ledger.legs['out']?.delivered ?? 0), 0)).toBe(23);
        expect(settled.reduce((sum, { ledger }) => sum + (ledger.legs['out']?.duplicates ?? 0), 0)).toBe(0);
      }
    }
  });

  it('a disk that is full while it compresses: what was begun is removed, and it is tried again', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 }, gzip: true });
    scene.disk.append(LOG, linesOf(0, 3));
    scene.start();
    const fault: Fault = { call: 'write', path: `${OUT}.1.gz.tmp`, code: 'MILLRACE_E_FILE_NO_SPACE' };
    scene.life.files.faults.add(fault);
    scene.disk.append(LOG, linesOf(3, 8));
    scene.run(5000);
    expect(codesOf(scene)).toContain('MILLRACE_E_FILE_NO_SPACE');
    expect(outputs(scene)).toContain('.1');
    expect(outputs(scene).join()).not.toContain('tmp');
    expect(scene.kept).toEqual(numbers(0, 11));
    scene.life.files.faults.clear();
    scene.run(120_000);
    expect(outputs(scene)).toContain('.1.gz');
    expect(outputs(scene)).not.toContain('.1');
    expect(scene.kept).toEqual(numbers(0, 11));
    expect(scene.life.files.misuses).toBe(0);
  });

  it('a rotated file that somebody removes while it is compressed is no reason to stop', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 }, gzip: true });
    scene.disk.append(LOG, linesOf(0, 3));
    scene.start();
    scene.life.files.faults.add({ call: 'open', path: `${OUT}.1`, code: 'MILLRACE_E_FILE_NOT_FOUND' });
    scene.disk.append(LOG, linesOf(3, 20));
    scene.run(1000);
    scene.disk.remove(`${OUT}.1`);
    scene.run(120_000);
    expect(outputs(scene)).toContain('.2.gz');
  });
});

describe('a file that another program moves', () => {
  it('is opened anew, and rotated from then on', () => {
    const scene = new TailScene({ rotate: { maxBytes: 1000 } });
    scene.disk.append(LOG, linesOf(0, 3));
    scene.start();
    scene.disk.move(OUT, '/out/elsewhere');
    scene.disk.append(LOG, linesOf(3, 1));
    scene.run(1000);
    scene.disk.append(LOG, linesOf(4, 20));
    scene.run(3000);
    expect(outputs(scene)).toContain('.1');
    expect(scene.disk.text('/out/elsewhere').split('\n').length - 1 + scene.kept.length).toBe(24);
  });
});
