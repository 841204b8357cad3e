import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { folderOf, nameOf } from '../../model/files.js';
import type { Files } from '../../model/files.js';

/** A rotated file and what there is of it. */
export interface RotatedFile {
  readonly number: number;
  readonly isPlain: boolean;
  readonly isCompressed: boolean;
  /** A compressed file that is not complete. */
  readonly isBegun: boolean;
}

/** `path.1` is the oldest: a name is given once and stays. */
export function rotatedPath(path: string, number: number): string {
  return `${path}.${number}`;
}

export function compressedPath(path: string, number: number): string {
  return `${path}.${number}.gz`;
}

/** What is being compressed is called so until it is complete and durable. */
export function begunPath(path: string, number: number): string {
  return `${path}.${number}.gz.tmp`;
}

/** What there is beside a path under the names of its rotated files, the oldest first. */
export function rotatedFiles(path: string, files: Files): Observable<readonly RotatedFile[]> {
  const prefix = `${nameOf(path)}.`;
  return files.list(folderOf(path)).pipe(
    map((names) => {
      const found = new Map<number, RotatedFile>();
      for (const name of names) {
        const match = name.startsWith(prefix)
          ? /^([1-9]\d{0,14})(\.gz|\.gz\.tmp)?$/.exec(name.slice(prefix.length))
          : null;
        if (match === null) continue;
        const [, digits, ending] = match;
        const number = Number(digits);
        const known = found.get(number) ?? { number, isPlain: false, isCompressed: false, isBegun: false };
        const part = ending === undefined ? 'isPlain' : ending === '.gz' ? 'isCompressed' : 'isBegun';
        found.set(number, { ...known, [part]: true });
      }
      return [...found.values()].sort((a, b) => a.number - b.number);
    }),
  );
}
