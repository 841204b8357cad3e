import { gunzipSync } from 'node:zlib';
import type { FakeDisk } from '../../src/testing/fake-disk.js';

const texts = new WeakMap<Buffer, string>();

function decompressed(content: Buffer): string {
  let text = texts.get(content);
  if (text === undefined) {
    text = gunzipSync(content).toString();
    texts.set(content, text);
  }
  return text;
}

/**
 * What a sink has written: the rotated files in their order, then the file itself. A rotated file that is there compressed
 * as well counts once, if both are the same; one that is not compressed to its end does not count.
 */
export function everyLine(disk: FakeDisk, path: string): string {
  const numbers = new Set(
    disk.paths.flatMap((other) => {
      const match = other.startsWith(`${path}.`) ? /^(\d+)(\.gz)?$/.exec(other.slice(path.length + 1)) : null;
      return match === null ? [] : [Number(match[1])];
    }),
  );
  const rotated = [...numbers]
    .sort((a, b) => a - b)
    .map((number) => {
      const plain = `${path}.${number}`;
      if (disk.inode(`${plain}.gz`) === undefined) return disk.text(plain);
      const text = decompressed(disk.content(`${plain}.gz`));
      if (disk.inode(plain) !== undefined && disk.text(plain) !== text)
        throw new Error(`${plain} is not what its .gz says`);
      return text;
    });
  return rotated.join('') + disk.text(path);
}
