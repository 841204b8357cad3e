import { EMPTY, of } from 'rxjs';
import { MillraceError } from '../../src/model/errors.js';
import type { Database, LanePosition, Rows, Transaction } from '../../src/sinks/duckdb/database.js';
import type { FakeFiles } from '../../src/testing/fake-files.js';
import type { Seeded } from '../../src/testing/seeded.js';

/** What a store holds, whatever process has it open. */
export class FakeStore {
  rows: Readonly<Record<string, string>>[] = [];
  positions = new Map<string, LanePosition>();

  apply({ rows, positions, forgotten }: Transaction): void {
    this.rows.push(...tableOf(rows));
    for (const each of positions) this.positions.set(keyOf(each), each);
    for (const each of forgotten) this.positions.delete(keyOf(each));
  }
}

function keyOf({ pipeline, leg, lane }: Pick<LanePosition, 'pipeline' | 'leg' | 'lane'>): string {
  return JSON.stringify([pipeline, leg, lane]);
}

type Values = Readonly<Record<string, unknown>>;

/** What a database makes of rows. */
export function tableOf({ count, columns, pieces }: Rows): Readonly<Record<string, string>>[] {
  type Group = Values & { readonly rows: readonly Values[] };
  const groups = pieces.flatMap((piece) => JSON.parse(Buffer.from(piece).toString()) as Group[]);
  const table = groups.flatMap(({ rows, ...common }) =>
    rows.map((row) =>
      Object.fromEntries(
        Object.entries({ ...common, ...row }).map(([key, value]) => {
          const { name, type } = columns[Number(key)]!;
          return [name, type === 'JSON' ? JSON.stringify(value) : (value as string)];
        }),
      ),
    ),
  );
  if (table.length !== count) throw new Error(`${table.length} rows instead of ${count}`);
  return table;
}

/**
 * A transactional database: what was committed stays, whatever happens; a transaction that is under way when the process
 * dies is there or not, but whole. Some commits fail: before anything was written, or after it.
 */
export function fakeDatabase(store: FakeStore, files: FakeFiles, random: Seeded): Database {
  return {
    positions: () => files.call('positions', () => [...store.positions.values()]),
    write: (transaction) => {
      const fails = random.chance(0.05);
      const isWritten = !fails || random.chance(0.5);
      return files.call('commit', () => {
        if (isWritten) store.apply(transaction);
        if (fails) throw new MillraceError('MILLRACE_E_FILE_NO_SPACE', 'commit');
      });
    },
    lastIngestedMs: () => of(0),
    keepUp: () => EMPTY,
    connect: () => Promise.reject(new Error('not part of this model')),
    close: () => undefined,
  };
}
