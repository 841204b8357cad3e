import { defer, from } from 'rxjs';
import type { Observable, ObservableInput, ObservedValueOf } from 'rxjs';

/** The result of a callback for a value, as an Observable: a throw of the callback is its error. */
export function call<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  value: T,
  index: number,
): Observable<ObservedValueOf<O>> {
  return defer(() => from(project(value, index)) as Observable<ObservedValueOf<O>>);
}
