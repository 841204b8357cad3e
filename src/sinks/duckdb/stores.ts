import { concat, defer, EMPTY, finalize, ignoreElements, merge, of, ReplaySubject, share, switchMap } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { Connect, Database, OpenDatabase } from './database.js';
import type { DuckdbSinkOptions } from './options.js';
import { Store } from './store.js';

export interface StorePorts {
  readonly openDatabase: OpenDatabase;
  readonly scheduler: SchedulerLike;
  readonly report: (notice: Notice) => void;
  /** Subscribed to while a store is open: what serves its readers. */
  readonly beside?: (path: string, connect: Connect) => Observable<unknown>;
}

/** The stores of a process: one for each path, open while a sink uses it. */
export class Stores {
  readonly #ports: StorePorts;
  readonly #byPath = new Map<string, { readonly options: string; readonly store: Observable<Store> }>();

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  /**
   * The open store of an absolute path. Emits once; it is closed when nobody is subscribed any more. Throws
   * MILLRACE_E_CONFIG_INVALID when somebody else has named the same path with other options.
   */
  at(options: DuckdbSinkOptions): Observable<Store> {
    const { path } = options;
    const { openDatabase, scheduler, report, beside = () => EMPTY } = this.#ports;
    const use = (database: Database): Observable<Store> => {
      const store = new Store(database, options, scheduler, report);
      const work = merge(
        store.work,
        store.upkeep,
        defer(() => beside(path, database.connect)),
      ).pipe(ignoreElements());
      const opened = concat(store.readPositions(), of(store));
      return merge(work, opened).pipe(finalize(() => store.close()));
    };
    const found = this.#byPath.get(path);
    if (found !== undefined) {
      if (found.options === JSON.stringify(options)) return found.store;
      throw new MillraceError(
        'MILLRACE_E_CONFIG_INVALID',
        `pipelines that share ${path} must give it the same options`,
      );
    }
    const shared = defer(() => openDatabase({ ...options, report })).pipe(
      switchMap(use),
      share({ connector: () => new ReplaySubject<Store>(1) }),
    );
    this.#byPath.set(path, { options: JSON.stringify(options), store: shared });
    return shared;
  }
}
