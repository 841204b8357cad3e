import { once } from 'node:events';
import { resolve } from 'node:path';
import { messageOf } from '../model/errors.js';
import { isOutputClosed } from '../sinks/console/write-to.js';
import { wantsColours } from './colours.js';
import { UsageFault } from './command-io.js';
import type { CommandIo } from './command-io.js';
import type { ConfigPlace } from './configurations.js';
import { searchArguments } from './search-arguments.js';
import type { SearchArguments } from './search-arguments.js';
import { allRows, textOf } from './search-asking.js';
import { columnsQuery } from './search-query.js';
import { openStore } from './search-store.js';
import type { Store } from './search-store.js';
import { storesOf } from './search-stores.js';
import { showCount, showEvents, showHistogram, showSql } from './search-views.js';
import type { View } from './search-views.js';
import type { Columns } from './search-where.js';

const USAGE = `Usage: millrace search [TEXT] [options]
  TEXT                  found in the message, without regard to case
  --level LIST          only these levels, e.g. ERROR,WARN
  --min-level LEVEL     this level or a more severe one
  --since TIME          not before: 15m, 2h, 3d (ago), today, yesterday, 2026-03-09, 2026-03-09T10:11:12Z; in UTC
  --until TIME          before
  --where FIELD=VALUE   also != > >= < <= and ~REGEX; several must all hold
  --count FIELD         how often each value of a field is there
  --histogram           how many events there are over time
  --limit N             at most N, the newest; 0: all, as they came. Default 100
  --json                one flat JSON object a line
  --sql QUERY           any SELECT on the table events
  --config CONFIG       the configuration that names the stores. Default config/default.yaml
  --store FILE          the store itself
`;

const DEFAULT_CONFIGURATION = 'config/default.yaml';

/** What `search` uses of the process beside its streams. */
export type SearchIo = CommandIo & ConfigPlace & { readonly isStdoutTerminal: boolean };

/**
 * `search`: asks the embedded stores, through the service that has them open or by reading the files. Gives the exit
 * code: 0, also when nothing is found, or 1 for a question that cannot be answered.
 */
export async function search(args: readonly string[], io: SearchIo): Promise<number> {
  const stores: Store[] = [];
  // Nobody reads any more (`| head`): `write` finds that out, too.
  io.stdout.on('error', () => undefined);
  try {
    const asked = searchArguments(args, Date.now());
    if (asked.help) {
      io.stdout.write(USAGE);
      return 0;
    }
    for (const path of pathsOf(asked, io)) stores.push(await openStore(path));
    const found = await show(asked, stores, io);
    if (!found) io.stderr.write('millrace search: nothing found\n');
    return 0;
  } catch (error) {
    if (isOutputClosed(error)) return 0;
    const hint = error instanceof UsageFault ? '\n`millrace search --help` shows what can be asked' : '';
    if (!io.signal.aborted) io.stderr.write(`millrace search: ${messageOf(error)}${hint}\n`);
    return 1;
  } finally {
    for (const store of stores) store.close();
  }
}

function pathsOf({ store, config = DEFAULT_CONFIGURATION }: SearchArguments, io: SearchIo): readonly string[] {
  if (store !== undefined) return [resolve(io.cwd, store)];
  const { paths, faults } = storesOf(config, io);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  if (paths.length > 0) return paths;
  throw new Error(`${config} has no store: no route of it has the sink duckdb. --store FILE names one`);
}

async function show(asked: SearchArguments, stores: readonly Store[], io: SearchIo): Promise<boolean> {
  const { filters, showing, isJson } = asked;
  const { signal, stdout, isStdoutTerminal } = io;
  const nowMs = Date.now();
  const view: View = {
    isJson,
    colours: wantsColours(io.env, isStdoutTerminal),
    isTerminal: isStdoutTerminal,
    signal,
    write: (lines) => write(stdout, lines, signal),
  };
  if (showing.kind === 'sql') return showSql(stores, showing.sql, view);
  const parts = await Promise.all(
    stores.map(async (store) => ({ store, match: { filters, nowMs, columns: await columnsOf(store, signal) } })),
  );
  switch (showing.kind) {
    case 'count':
      return showCount(parts, showing, view);
    case 'histogram':
      return showHistogram(parts, view);
    case 'events':
      return showEvents(parts, showing.limit, view);
  }
}

async function columnsOf(store: Store, signal: AbortSignal): Promise<Columns> {
  const rows = await allRows(await store.answer(columnsQuery, signal));
  return rows.map(([name, type]) => ({ name: textOf(name), type: textOf(type) }));
}

/** Waits while the output has no room: a long answer is not held in memory. */
async function write(stdout: NodeJS.WritableStream, lines: readonly string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (lines.length === 0) return;
  if (!stdout.writable) throw Object.assign(new Error('the output is closed'), { code: 'EPIPE' });
  if (!stdout.write(`${lines.join('\n')}\n`)) await once(stdout, 'drain', { signal });
}
