import { nameOf } from '../../model/files.js';

/** Rotated files that were compressed: never text. Some can be read as archives. */
const COMPRESSED = /\.(?:gz|zst|bz2|xz|lz4|zip|7z)$/i;
const ROTATED = /^[.\-_]?\d/;
const SEPARATED = /^[.\-_]/;

export function isCompressed(path: string): boolean {
  return COMPRESSED.test(path);
}

/** What a file was called before it was compressed. */
export function unpackedName(path: string): string {
  return path.replace(COMPRESSED, '');
}

/** A path or name without its extension. */
export function stemOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? path.slice(0, path.length - name.length + dot) : path;
}

/** What the logs are called, or their stems, that a path may be a renamed or copied one of. */
export function prefixesOf(path: string): string[] {
  const from = path.length - nameOf(path).length;
  return [...path.slice(from + 1).matchAll(/[.\-_]/g)].map(({ index }) => path.slice(0, from + 1 + index));
}

/** What a name has beyond that of the log: `.1` of app.log.1, `-20261123.log` of app-20261123.log. */
function extras(name: string, log: string): string[] {
  return [log, stemOf(log)].filter((prefix) => name.startsWith(prefix)).map((prefix) => name.slice(prefix.length));
}

/** Whether a path may be a renamed or copied `log`, by its name alone: app.log.1, app.log.bak, app-20261123.log. */
function isRelated(path: string, log: string): boolean {
  const name = nameOf(path);
  return (
    name !== nameOf(log) && !isCompressed(name) && extras(name, nameOf(log)).some((extra) => SEPARATED.test(extra))
  );
}

/** Whether a path has the name that a rotation gives, with a number or a date, so that content need not prove it. */
export function isRotationOf(path: string, log: string): boolean {
  return isRelated(path, log) && extras(nameOf(path), nameOf(log)).some((extra) => ROTATED.test(extra));
}

/** Numbers of rotations grow with age; longer ones are dates or times, and grow with time. */
const MAX_ROTATION_DIGITS = 3;

/** By their names, for files that were written in the same instant: app.log.2 before app.log.1, -20261122 before -20261123. */
export function olderFirst(a: string, b: string): number {
  const [ofA = '', ofB = ''] = [a, b].map((path) => /\d+(?=\D*$)/.exec(nameOf(path))?.[0]);
  const isRotation = ofA.length <= MAX_ROTATION_DIGITS && ofB.length <= MAX_ROTATION_DIGITS;
  const byNumber = Number(ofA) - Number(ofB);
  return isRotation ? -byNumber : byNumber;
}
