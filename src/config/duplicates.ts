import { resolve } from 'node:path';
import type { Faults, Path } from './fault.js';
import { placeOf } from './located.js';
import type { Located } from './located.js';

/** A document, whatever else is wrong with it. */
export interface NamedDocument {
  readonly root: Located;
  /** Its name if it gives none. */
  readonly defaultName: string;
}

/** Something that only one may have. */
interface Claim {
  readonly of: string;
  readonly offset: number;
  readonly path: Path;
}

/** The text at a path; undefined if there is none, or none that can be trusted. */
function textAt(root: Located, path: Path): string | undefined {
  const { node } = placeOf(root, path);
  return typeof node?.value === 'string' && node.isBroken !== true ? node.value : undefined;
}

function claim(root: Located, path: Path, otherwise?: string): Claim[] {
  const { node, offset } = placeOf(root, path);
  const of = node === undefined ? otherwise : textAt(root, path);
  return of === undefined ? [] : [{ of, offset, path }];
}

/** Adds a fault for each claim that comes after another one of the same; returns those claims. */
function refuse(claims: readonly Claim[], faults: Faults, expected: string): readonly Claim[] {
  const owners = new Map<string, Claim>();
  return [...claims]
    .sort((a, b) => a.offset - b.offset)
    .filter(({ of, offset, path }) => {
      const owner = owners.get(of);
      if (owner === undefined) {
        owners.set(of, { of, offset, path });
        return false;
      }
      // The value itself may be a secret.
      faults.add(offset, path, `expected ${expected}: line ${faults.lineOf(owner.offset)} has the same`);
      return true;
    });
}

function routePaths(root: Located): readonly Path[] {
  const count = placeOf(root, ['routes']).node?.items?.length ?? 0;
  return Array.from({ length: count }, (_, at) => ['routes', at]);
}

function sinkPaths(root: Located): readonly Path[] {
  const targets = routePaths(root).flatMap((route): readonly Path[] => {
    const to = [...route, 'to'];
    const items = placeOf(root, to).node?.items;
    return items === undefined ? [to] : items.map((_, at) => [...to, at]);
  });
  return [...targets, ['deadLetter']];
}

/** Finds names that are given twice, and files that two would write. */
export function findDuplicates(documents: readonly NamedDocument[], cwd: string, faults: Faults): void {
  const names = documents.map(({ root, defaultName }) => claim(root, ['name'], defaultName));
  const refused = refuse(names.flat(), faults, 'a name of its own');
  const written = documents.flatMap(({ root }, at): Claim[] => {
    const routes = routePaths(root).flatMap((route, index) => claim(root, [...route, 'name'], `route${index + 1}`));
    refuse(routes, faults, 'a name of its own');
    const sinks = sinkPaths(root).flatMap((sink) => claim(root, [...sink, 'file', 'path']));
    const [name] = names[at] ?? [];
    // Of two pipelines with one name the checkpoints follow, and need no fault of their own.
    const isOwn = name !== undefined && !refused.some(({ offset }) => offset === name.offset);
    const checkpoint = claim(root, ['checkpoint', 'path'], isOwn ? `data/${name.of}.checkpoint` : undefined);
    return [...sinks, ...checkpoint];
  });
  const files = written.map((each) => ({ ...each, of: resolve(cwd, each.of) }));
  refuse(files, faults, 'a file that nothing else writes');
}
