import { describe, expect, it } from 'vitest';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';

const LOG = '/logs/app.log';

/** A scene in which one line was read. */
function read(options: ConstructorParameters<typeof TailScene>[0] = {}): TailScene {
  const scene = new TailScene(options);
  scene.world.append(LOG, lineOf(1));
  scene.start();
  expect(scene.kept).toEqual(['1']);
  return scene;
}

describe('a rotation', () => {
  it('by rename + create loses nothing, and the path stays that of the log', () => {
    const scene = read();
    scene.world.append(LOG, lineOf(2));
    scene.world.rename(LOG, { creates: true });
    scene.world.append(LOG, lineOf(3));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2', '3']);
    expect(scene.paths).toEqual([LOG]);
    expect(scene.incarnations).toHaveLength(2);
  });

  it('by rename: what the writer adds to the old file before it notices comes out', () => {
    const scene = read();
    const old = scene.world.rename(LOG, { creates: true })!;
    scene.world.append(LOG, lineOf(3));
    scene.run(1000);
    scene.world.appendLate(old, lineOf(2));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '3', '2']);
    expect(scene.incarnations).toHaveLength(2);
  });

  it('by copytruncate loses nothing that is in the copy', () => {
    const scene = read();
    scene.world.append(LOG, linesOf(2, 100));
    scene.world.copy(LOG);
    scene.world.truncate(LOG);
    scene.world.append(LOG, lineOf(102));
    scene.run(1000);
    expect(scene.kept).toEqual(Array.from({ length: 102 }, (_, at) => String(at + 1)));
    expect(scene.lost).toEqual([]);
  });

  it('by copytruncate with the copy inside the patterns reads nothing twice', () => {
    const scene = read({ tail: { paths: ['/logs/*'] } });
    for (let round = 0; round < 4; round++) {
      scene.world.copy(LOG);
      scene.run(120);
      scene.world.truncate(LOG);
      scene.world.append(LOG, lineOf(round + 2));
      scene.run(15_000);
    }
    expect(scene.kept).toEqual(['1', '2', '3', '4', '5']);
  });

  it('twice between two looks: the file in the middle was seen by nobody, and is read', () => {
    const scene = read();
    scene.world.rename(LOG, { creates: false });
    scene.world.append(LOG, lineOf(2));
    scene.world.rename(LOG, { creates: false });
    scene.world.append(LOG, lineOf(3));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2', '3']);
  });

  it('twice between two looks, by names with a date', () => {
    const scene = read();
    scene.clock.runFor(5);
    scene.world.rename(LOG, { creates: false, to: '/logs/app.log-20261122' });
    scene.world.append(LOG, lineOf(2));
    scene.world.rename(LOG, { creates: false, to: '/logs/app.log-20261123' });
    scene.world.append(LOG, lineOf(3));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2', '3']);
  });

  it.each(['rename', 'copytruncate'])('by %s while the process is down', (how) => {
    const scene = read();
    expect(scene.stop()).toBe(true);
    for (let number = 2; number < 5; number++) {
      scene.world.append(LOG, lineOf(number));
      if (how === 'copytruncate') scene.world.copy(LOG);
      if (how === 'copytruncate') scene.world.truncate(LOG);
      else scene.world.rename(LOG, { creates: true });
      scene.clock.runFor(10);
    }
    scene.world.append(LOG, lineOf(5));
    scene.start(1000);
    expect(scene.kept).toEqual(['1', '2', '3', '4', '5']);
  });

  it('while it is down, with a first file that was read long ago: that one is not read again', () => {
    const scene = new TailScene();
    scene.disk.append('/logs/app.log.1', lineOf('old'));
    scene.clock.runFor(1000);
    scene.world.append(LOG, lineOf(1));
    scene.start();
    scene.stop();
    scene.world.truncate(LOG, lineOf(2));
    scene.start(15_000);
    expect(scene.kept).toEqual(['1', '2']);
  });

  it('compressed afterwards is not read again', () => {
    const scene = read({ tail: { paths: ['/logs/*'] } });
    scene.world.rename(LOG, { creates: true });
    scene.run(500);
    scene.disk.append('/logs/app.log.1.gz', 'compressed|as|it is\n');
    scene.disk.remove('/logs/app.log.1');
    scene.world.append(LOG, lineOf(2));
    scene.run(15_000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.dead).toEqual([]);
  });
});

describe('a file that is written anew', () => {
  it('shorter than before is read from its beginning', () => {
    const scene = read();
    scene.world.append(LOG, linesOf(2, 5));
    scene.run(500);
    scene.world.truncate(LOG, lineOf(7));
    scene.run(500);
    expect(scene.kept).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(scene.lost).toEqual([]);
  });

  it.each([true, false])('beyond its old size is read from its beginning; running: %s', (isRunning) => {
    const scene = read();
    if (!isRunning) scene.stop();
    scene.world.truncate(LOG, linesOf(2, 50));
    if (isRunning) scene.run(1000);
    else scene.start(1000);
    expect(scene.kept).toEqual(Array.from({ length: 51 }, (_, at) => String(at + 1)));
    expect(scene.incarnations).toHaveLength(2);
  });

  it('to exactly its old size is read from its beginning', () => {
    const scene = read();
    scene.world.truncate(LOG, lineOf(2));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2']);
  });

  it('seen first under its new name, inside the patterns, is still one of the log', () => {
    const scene = read({ tail: { paths: ['/logs/*.log*'] } });
    scene.world.truncate(LOG);
    scene.run(150);
    scene.world.append(LOG, `${lineOf(2)}half`);
    scene.world.rename(LOG, { creates: true });
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.paths).toEqual([LOG]);
    // Nobody will finish this line.
    expect(scene.dead).toEqual(['half']);
  });

  it('with the same content first, under a new inode, goes on where it was', () => {
    const scene = read();
    scene.disk.append('/logs/.app.log.tmp', lineOf(1) + lineOf(2));
    scene.disk.move('/logs/.app.log.tmp', LOG);
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.incarnations).toHaveLength(1);
  });
});

describe('identity', () => {
  it('a new file that got the inode of a removed one is read from its beginning', () => {
    const scene = read();
    const { number } = scene.disk.inode(LOG)!;
    scene.stop();
    scene.world.remove(LOG);
    scene.world.append(LOG, linesOf(2, 20));
    expect(scene.disk.inode(LOG)!.number).toBe(number);
    scene.start(1000);
    expect(scene.kept).toEqual(Array.from({ length: 21 }, (_, at) => String(at + 1)));
  });

  it('a file that came and went before another one got the inode of the removed one is read', () => {
    const scene = read({ tail: { maxOpenFiles: 1 } });
    const { number } = scene.disk.inode(LOG)!;
    // It takes the turn of the log, which is closed then.
    scene.world.append('/logs/other.log', lineOf('other'));
    scene.run(520);
    scene.world.remove(LOG);
    scene.disk.append('/logs/elsewhere', 'has the inode for now');
    scene.run(5);
    scene.world.append(LOG, lineOf(2));
    scene.world.rename(LOG, { creates: false });
    scene.run(5);
    scene.disk.remove('/logs/elsewhere');
    scene.world.append(LOG, linesOf(3, 3));
    expect(scene.disk.inode(LOG)!.number).toBe(number);
    scene.run(1000);
    expect(scene.kept).toEqual(['1', 'other', '2', '3', '4', '5']);
  });

  it('two files with the same banner are two', () => {
    const scene = new TailScene();
    const banner = lineOf('banner').repeat(20);
    for (const name of ['a', 'b']) scene.world.append(`/logs/${name}.log`, banner + lineOf(name));
    scene.start();
    scene.stop();
    for (const name of ['a', 'b']) scene.world.append(`/logs/${name}.log`, lineOf(`${name}2`));
    scene.start();
    const counts = (what: string): number => scene.kept.filter((number) => number === what).length;
    expect(['banner', 'a', 'b', 'a2', 'b2'].map(counts)).toEqual([40, 1, 1, 1, 1]);
    expect(scene.incarnations).toHaveLength(2);
  });

  it('one file under two names is read once', () => {
    const scene = new TailScene();
    scene.world.append(LOG, lineOf(1));
    scene.disk.link(LOG, '/logs/other.log');
    scene.start();
    scene.world.append(LOG, lineOf(2));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2']);
  });

  it('a backup copy inside the patterns is a file on its own, when nobody cuts the original', () => {
    const scene = read({ tail: { paths: ['/logs/*'] } });
    scene.disk.copy(LOG, '/logs/app.log.bak');
    scene.run(5000);
    expect(scene.kept).toEqual(['1']);
    scene.run(10_000);
    expect(scene.kept).toEqual(['1', '1']);
    expect(scene.paths).toEqual([LOG, '/logs/app.log.bak']);
  });
});

describe('what is removed', () => {
  it('while it is open is read to its end', () => {
    const scene = read();
    const inode = scene.disk.inode(LOG)!;
    scene.world.remove(LOG);
    scene.disk.appendTo(inode, lineOf(2));
    scene.run(1000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.life.files.openFiles).toBe(2);
    expect(scene.lost).toEqual([]);
  });

  it('while it is open stays known until its path has another file, even if nobody runs meanwhile', () => {
    const scene = read();
    scene.world.remove(LOG);
    scene.run(1000);
    scene.stop();
    scene.world.append(LOG, lineOf(2));
    scene.world.rename(LOG, { creates: true });
    scene.start(1000);
    expect(scene.kept).toEqual(['1', '2']);
    expect(scene.paths).toEqual([LOG]);
  });

  it('before it was read is reported with its exact size', () => {
    const scene = read();
    scene.life.files.faults.add({ call: 'read', path: LOG, code: 'MILLRACE_E_FILE_IO' });
    scene.world.append(LOG, linesOf(2, 3));
    scene.run(1000);
    scene.world.truncate(LOG);
    scene.run(1000);
    expect(scene.kept).toEqual(['1']);
    expect(scene.lost.map(({ details }) => details)).toEqual([{ bytes: linesOf(2, 3).length }]);
  });

  it('after it was read is not reported', () => {
    const scene = read();
    scene.world.truncate(LOG, '');
    scene.run(500);
    scene.world.remove(LOG);
    scene.run(500);
    expect(scene.lost).toEqual([]);
  });
});
