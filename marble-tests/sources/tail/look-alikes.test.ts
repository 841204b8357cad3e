import { describe, expect, it } from 'vitest';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';

const LOG = '/logs/app.log';
const BANNER = lineOf('banner');

/** A scene in which the banner was read that all files of the log begin with. */
function banner(): TailScene {
  const scene = new TailScene();
  scene.world.append(LOG, BANNER);
  scene.start();
  expect(scene.kept).toEqual(['banner']);
  scene.clock.runFor(5);
  return scene;
}

describe('files that begin alike, while it is down', () => {
  it('copytruncate: what was written before the cut comes out of the copy', () => {
    const scene = banner();
    scene.stop();
    scene.world.append(LOG, lineOf(2));
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.world.append(LOG, BANNER + linesOf(3, 5));
    scene.start(1000);
    expect(scene.kept).toEqual(['banner', '2', 'banner', '3', '4', '5', '6', '7']);
    expect(scene.incarnations).toHaveLength(2);
  });

  it('copytruncate, then a rename: the copy is older than the file that still has the inode', () => {
    const scene = banner();
    scene.stop();
    scene.world.append(LOG, lineOf(2));
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.clock.runFor(5);
    scene.world.append(LOG, BANNER + lineOf(3));
    scene.world.rename(LOG, { creates: false });
    scene.clock.runFor(5);
    scene.world.append(LOG, BANNER + lineOf(4));
    scene.start(1000);
    expect(scene.kept).toEqual(['banner', '2', 'banner', '3', 'banner', '4']);
    expect(scene.incarnations).toHaveLength(3);
  });

  it('a copy of a file that has only grown since is not taken for it', () => {
    const scene = banner();
    scene.stop();
    scene.world.append(LOG, lineOf(2));
    scene.world.copy(LOG);
    scene.world.append(LOG, lineOf(3));
    scene.start(1000);
    expect(scene.kept).toEqual(['banner', '2', '3']);
    expect(scene.incarnations).toHaveLength(1);
  });
});

describe('a start after a rotation that was read', () => {
  it.each(['rename', 'copytruncate'])('knows of it, though nothing new was read: %s', (how) => {
    const scene = new TailScene();
    scene.world.append(LOG, '\n');
    scene.start();
    if (how === 'copytruncate') scene.world.copy(LOG);
    if (how === 'copytruncate') scene.world.truncate(LOG);
    else scene.world.rename(LOG, { creates: true });
    scene.run(500);
    scene.life.bury();
    scene.world.append(LOG, '\n' + lineOf(1));
    scene.start(1000);
    // Of a generation of its own, not from where the one before it ended.
    expect(scene.kept).toEqual(['1']);
    expect(scene.incarnations).toEqual(['i2']);
  });

  it('reads what comes and goes while it looks for the first time', () => {
    const scene = new TailScene();
    scene.world.append(LOG, lineOf(1));
    scene.start();
    scene.world.append(LOG, lineOf(2));
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.run(500);
    scene.stop();
    scene.world.append(LOG, lineOf(3));
    const trace = (call: string): void => {
      if (!call.endsWith(' list /logs') || scene.disk.content(LOG).length !== lineOf(3).length) return;
      scene.world.rename(LOG, { creates: false });
      scene.world.append(LOG, lineOf(4) + lineOf(5));
    };
    scene.start(1000, { files: { trace } });
    expect(scene.kept).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('a file that is cut and written to while it is looked at, at whatever calls', () => {
  const calls = Array.from({ length: 16 }, (_, at) => at + 1);

  it.each(['/logs/*.log', '/logs/*'])('comes out once, with %s', (pattern) => {
    for (const cutAt of calls) {
      for (const writtenAfter of [0, 2, 4, 6]) {
        const scene = new TailScene({ tail: { paths: [pattern] } });
        scene.world.append(LOG, linesOf(1, 5));
        scene.start();
        scene.stop();
        let call = -Infinity;
        const trace = (): void => {
          call++;
          if (call === cutAt) scene.world.truncate(LOG);
          if (call === cutAt + writtenAfter) scene.world.append(LOG, linesOf(6, 3));
        };
        scene.start(500, { files: { watches: 'always', trace } });
        scene.world.copy(LOG);
        call = 0;
        scene.run(2000);
        expect(scene.kept).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
      }
    }
  });
});

describe('a file that is cut while it is looked at for the first time, at whatever calls', () => {
  it.each([1, 20, 50])('is not said to have lost what comes out: %i lines', (lines) => {
    for (let cutAt = 1; cutAt <= 50; cutAt++) {
      for (const writtenAfter of [0, 2, 4]) {
        const scene = new TailScene();
        scene.world.append(LOG, linesOf(1, lines));
        scene.world.copy(LOG);
        let call = 0;
        const trace = (): void => {
          call++;
          if (call === cutAt) scene.world.truncate(LOG);
          if (call === cutAt + writtenAfter) scene.world.append(LOG, linesOf(101, 3));
        };
        scene.start(2000, { files: { trace } });
        expect(scene.kept.slice(-3)).toEqual(['101', '102', '103']);
        if (scene.kept.includes('1')) expect(scene.lost).toEqual([]);
        expect(scene.kept.slice(0, -3)).toHaveLength(scene.kept.includes('1') ? lines : 0);
      }
    }
  });
});

describe('a rotated file of a few bytes that later ones begin with as well', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'is not looked for in them when names move while they are listed, luck %i',
    (luck) => {
      for (let call = 1; call <= 12; call++) {
        const scene = new TailScene({ tail: { pollMs: 20 } });
        scene.world.append(LOG, lineOf(1));
        let calls = -Infinity;
        const trace = (): void => {
          if (++calls === call) scene.clock.schedule(rotate, 1);
        };
        const rotate = (): void => {
          scene.world.append(LOG, linesOf(3, 2));
          scene.world.rename(LOG, { creates: true });
        };
        scene.start(500, { files: { trace } });
        scene.world.rename(LOG, { creates: true });
        scene.world.append(LOG, 'ERROR');
        scene.run(300);
        scene.world.rename(LOG, { creates: false });
        scene.run(300);
        scene.world.append(LOG, lineOf(2));
        scene.world.rename(LOG, { creates: true });
        calls = 0;
        for (let drawn = 0; drawn < luck; drawn++) scene.disk.random.next();
        scene.run(2000);
        expect(scene.kept.toSorted(), `${call}`).toEqual(['1', '2', '3', '4']);
        expect(scene.dead).toEqual(['ERROR']);
      }
    },
  );
});

describe('an inode that is used again', () => {
  it('by an archive that is being made of another log', () => {
    const scene = new TailScene({ tail: { paths: ['/logs/*.log*'] } });
    scene.world.append(LOG, linesOf(1, 20));
    scene.world.append('/logs/web.log', linesOf(101, 20));
    scene.start();
    for (const path of [LOG, '/logs/web.log']) scene.world.rename(path, { creates: true });
    scene.run(500);
    scene.world.compress('/logs/web.log')!();
    const finish = scene.world.compress(LOG)!;
    expect(scene.disk.inode('/logs/app.log.1.gz')!.number).toBe(2);
    scene.run(500);
    finish();
    scene.run(15_000);
    expect(scene.kept).toHaveLength(40);
  });

  it('by the copy that gets the name of a file that was compressed', () => {
    const scene = new TailScene({ tail: { paths: ['/logs/*.log*'] } });
    scene.world.append(LOG, lineOf(1));
    scene.start();
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.run(500);
    scene.world.append(LOG, linesOf(2, 5));
    scene.run(500);
    scene.world.compress(LOG)!();
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.run(15_000);
    expect(scene.kept).toEqual(['1', '2', '3', '4', '5', '6']);
  });
});
