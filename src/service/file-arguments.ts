import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parse, resolve } from 'node:path';
import { escapePath } from 'tinyglobby';
import { guessFormat } from './guess-format.js';

/** A configuration that was made up for log files, and what to say about it. */
export interface MadeConfiguration {
  /** JSON, which is YAML. */
  readonly text: string;
  readonly explanation: string;
}

/** Where `search` looks when nothing is said. */
const STORE = 'data/events.duckdb';
const LOOK_BYTES = 64 * 1024;
const LOOK_LINES = 100;

/** True for what is a configuration by its name; anything else is a log file. */
export function isConfiguration(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

function firstLines(path: string): string[] {
  const bytes = Buffer.alloc(LOOK_BYTES);
  let count: number;
  try {
    const file = openSync(path, 'r');
    count = readSync(file, bytes, 0, LOOK_BYTES, 0);
    closeSync(file);
  } catch {
    // It is waited for when it is read.
    return [];
  }
  return bytes.toString('utf8', 0, count).split(/\r?\n/).slice(0, LOOK_LINES);
}

/** The same files go on where they were; others are another pipeline. */
function nameFor(paths: readonly string[]): string {
  const [first = ''] = paths;
  const stem = paths.length === 1 ? parse(first).name.replace(/[^A-Za-z0-9_-]+/g, '-') : 'files';
  const hash = createHash('sha256').update(paths.toSorted().join('\0')).digest('hex');
  return `${stem}-${hash.slice(0, 6)}`;
}

/**
 * A pipeline for each format found in the files: it reads them from the beginning, shows the events and stores them. The
 * format is guessed from a file's first lines.
 */
export function configurationsFor(files: readonly string[], cwd: string): MadeConfiguration[] {
  const byFormat = new Map<string, { stages: unknown; paths: string[] }>();
  for (const file of files) {
    const path = resolve(cwd, file);
    const { name, stages } = guessFormat(firstLines(path));
    const group = byFormat.get(name) ?? { stages, paths: [] };
    group.paths.push(path);
    byFormat.set(name, group);
  }
  return [...byFormat].map(([format, { stages, paths }]) => {
    const name = nameFor(paths);
    const config = {
      name,
      source: { tail: { paths: paths.map((path) => escapePath(path)) } },
      stages,
      routes: [{ name: 'all', to: [{ duckdb: { path: STORE } }, { console: {} }] }],
    };
    return {
      // What looks like a reference to the environment is part of a pattern or of a name here.
      text: JSON.stringify(config).replaceAll('${', '$${'),
      explanation: `${paths.length === 1 ? files[0] : `${paths.length} files`}: read as ${format}; stored in ${STORE}`,
    };
  });
}
