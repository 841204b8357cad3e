import { interval, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Status } from './supervisor.js';
import { CLEAR_LINE } from './terminal.js';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? 'B'}`;
}

/** One line: rate, read, kept, dead and how far behind, over all pipelines. */
function progressLine(statuses: readonly Status[], readBefore: number, seconds: number): string {
  const sum = (count: (status: Status) => number): number => statuses.reduce((all, each) => all + count(each), 0);
  const read = sum(({ ledger }) => ledger.total.read);
  const kept = sum(({ ledger }) => ledger.total.delivered);
  const dead = sum(({ ledger }) => ledger.total.deadLettered);
  const behind = sum(({ behindBytes }) => behindBytes);
  const rate = seconds > 0 ? Math.round((read - readBefore) / seconds) : 0;
  const number = (value: number): string => value.toLocaleString('en-US');
  return `${number(rate)} lines/s · read ${number(read)} · kept ${number(kept)} · dead ${number(dead)} · behind ${bytesText(behind)}`;
}

const EVERY_MS = 1000;

/** Keeps one line at the bottom of a terminal up to date. Never completes; unsubscribing ends the line. */
export function progress(statuses: readonly Status[], write: (text: string) => void): Observable<unknown> {
  let before = 0;
  return interval(EVERY_MS).pipe(
    tap({
      next: () => {
        const read = statuses.reduce((all, { ledger }) => all + ledger.total.read, 0);
        write(`${CLEAR_LINE}${progressLine(statuses, before, EVERY_MS / 1000)}`);
        before = read;
      },
      finalize: () => write('\n'),
    }),
  );
}
