import { from } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../../src/model/event.js';
import { placeOf } from '../../src/testing/place-of.js';

/** The places, among the events, of those that come through an operator. */
export function passing(operator: OperatorFunction<LogEvent, LogEvent>, events: readonly LogEvent[]): number[] {
  const got: number[] = [];
  from(events)
    .pipe(operator)
    .subscribe((event) => got.push(events.indexOf(event)));
  return got;
}

/** Events of one place, with these fields. */
export function eventsWith(...all: Readonly<Record<string, unknown>>[]): LogEvent[] {
  const place = placeOf();
  return all.map((fields) => place.event(fields));
}

/** A time as events have it. */
export function at(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
