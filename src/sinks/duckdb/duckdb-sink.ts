import { map } from 'rxjs';
import type { SinkCapture, SinkResource } from '../../model/sink.js';
import type { DuckdbSinkOptions } from './options.js';
import type { Stores } from './stores.js';

/**
 * A searchable store, each item exactly once: rows and lane positions are in one transaction, so a replay after a crash
 * finds what is there already. Pipelines and routes that name the same file share it.
 *
 * - errors: MILLRACE_E_STORE_LOCKED (another process has the file), MILLRACE_E_FILE_… and MILLRACE_E_STORE_MEMORY are
 *   transient; nothing is acknowledged that was not committed.
 * - an event of more than a twelfth of `memoryBytes` is refused: MILLRACE_E_STORE_TOO_LARGE.
 * - what is delivered is accepted at once, as long as there is room, and durable within 0.2 s; a checkpoint waits for that.
 * - memory: the rows of two transactions as text, 8 MiB each, beside what DuckDB may use (`memoryBytes`).
 *
 * `options.path` must be absolute: it is what stores are told apart by.
 */
export function duckdbSink(options: DuckdbSinkOptions, stores: Stores): SinkResource {
  const opened = stores.at(options);
  return {
    name: `duckdb ${options.path}`,
    open: ({ pipeline, leg }) => {
      const from = { pipeline, leg, route: leg.replace(/\/\d+$/, '') };
      return opened.pipe(
        map((store) => ({
          deliver: (delivery) => store.deliver(from, delivery),
          // The positions are in the store; only lanes that the checkpoint has dropped for good are dropped there too.
          capture: (settled): SinkCapture => {
            const gone = [...store.lanesOf(from).keys()].filter((lane) => !settled.has(lane));
            return { state: null, sync: store.durable, saved: () => store.forget(from, gone) };
          },
        })),
      );
    },
  };
}
