import { catchError, EMPTY, exhaustMap, tap, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { Database, Upkeep } from './database.js';
import type { DuckdbSinkOptions } from './options.js';

/** How often it is looked whether something is to be exported or removed. */
const LOOK_EVERY_MS = 5000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const timeOf = (ms: number): string => new Date(ms).toISOString();

/**
 * What is to be done now. `bytesSince`: text that was stored since the last export. `nextMs`: no row will have a smaller
 * time. `lastMs`: when this was asked last.
 */
function upkeepAt(
  { retention, export: exporting }: DuckdbSinkOptions,
  { nextMs, lastMs, bytesSince }: { nextMs: number; lastMs: number; bytesSince: number },
): Upkeep | undefined {
  const everyMs = exporting?.every === 'hour' ? HOUR_MS : DAY_MS;
  const isOver = Math.floor(nextMs / everyMs) > Math.floor(lastMs / everyMs);
  const isLarge = exporting !== undefined && bytesSince >= exporting.maxBytes;
  const isTimeToRemove = Math.floor(nextMs / HOUR_MS) > Math.floor(lastMs / HOUR_MS);
  if (!(isOver && exporting !== undefined) && !isLarge && !(isTimeToRemove && retention !== undefined))
    return undefined;
  const exportMs = isLarge ? nextMs : isOver ? nextMs - (nextMs % everyMs) : undefined;
  return {
    exportFolder: exporting?.path,
    exportUntil: exportMs === undefined ? undefined : timeOf(exportMs),
    removeBefore: retention === undefined ? undefined : timeOf(nextMs - retention.maxAgeDays * DAY_MS),
  };
}

/** What upkeep needs to know of a store. */
export interface UpkeepSetting {
  readonly database: Database;
  readonly options: DuckdbSinkOptions;
  readonly scheduler: SchedulerLike;
  readonly report: (notice: Notice) => void;
  /** No row that is written from now on has a smaller time. */
  readonly nextMs: () => number;
}

/** Exports and removes rows of a store when it is time. */
export class StoreUpkeep {
  readonly #setting: UpkeepSetting;
  #lastMs = 0;
  #bytesSince = 0;

  constructor(setting: UpkeepSetting) {
    this.#setting = setting;
  }

  /** So much more text is stored. */
  add(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** Looks now and then whether it is time, while it is subscribed. Never emits. */
  get run(): Observable<unknown> {
    const { options, scheduler } = this.#setting;
    if (options.retention === undefined && options.export === undefined) return EMPTY;
    return timer(0, LOOK_EVERY_MS, scheduler).pipe(exhaustMap(() => this.#look()));
  }

  #look(): Observable<unknown> {
    const { database, options, report } = this.#setting;
    const nextMs = this.#setting.nextMs();
    const upkeep = upkeepAt(options, { nextMs, lastMs: this.#lastMs, bytesSince: this.#bytesSince });
    if (upkeep === undefined) return EMPTY;
    const bytes = this.#bytesSince;
    return database.keepUp(upkeep).pipe(
      tap({
        complete: () => {
          this.#lastMs = nextMs;
          if (upkeep.exportUntil !== undefined) this.#bytesSince -= bytes;
        },
      }),
      catchError((error: unknown) => {
        const code = error instanceof MillraceError ? { code: error.code } : {};
        const message = `exporting or removing rows of ${options.path}: ${messageOf(error)}; trying again`;
        report({ level: 'warn', message, ...code });
        return EMPTY;
      }),
    );
  }
}
