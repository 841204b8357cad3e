import { combineLatest, defer, EMPTY, map, merge, takeUntil, tap } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Checkpoint } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import { isTransient } from '../model/errors.js';
import type { Sink, SinkResource } from '../model/sink.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import type { Captured } from './checkpoint.js';
import { legNames } from './pipeline-spec.js';
import type { PipelineRun, PipelineSpec } from './pipeline-spec.js';

const NAME_OF_DEAD_LETTERS = 'deadLetter';

/** The sinks of a pipeline, and what was saved of it. */
export interface Open {
  readonly saved: Checkpoint | undefined;
  readonly sinks: readonly Sink[];
  readonly deadLetters: Sink<DeadLetter>;
}

/** The back-off for something that may not be there. */
export type PolicyFor = (what: string) => BackoffPolicy;

/** Opens every sink, each tried until it is there. Emits once; unsubscribing closes them. */
export function openSinks(
  spec: PipelineSpec,
  saved: Checkpoint | undefined,
  save: Observable<never>,
  { report }: PipelineRun,
  patient: PolicyFor,
  scheduler: SchedulerLike,
): Observable<Open> {
  const pipeline = spec.name ?? 'pipeline';
  const open = <T>(name: string, resource: SinkResource<T>): Observable<Sink<T>> => {
    const policy = patient(`opening ${resource.name} for ${name}`);
    let isOpen = false;
    return defer(() => resource.open({ pipeline, leg: name, saved: saved?.sinks.get(name), save, report })).pipe(
      tap(() => (isOpen = true)),
      // One that was lost later is opened with what was saved last, and the others with it: by who runs the pipeline.
      retryBackoff({ ...policy, recoverable: (error) => !isOpen && isTransient(error) }, scheduler),
    );
  };
  const resources = spec.routes.flatMap((route) => route.to);
  const names = legNames(spec.routes);
  return combineLatest([
    open(NAME_OF_DEAD_LETTERS, spec.deadLetters),
    ...resources.map((resource, at) => open(names[at] ?? '', resource)),
  ]).pipe(map(([deadLetters, ...sinks]) => ({ saved, deadLetters: deadLetters, sinks: sinks })));
}

/** The sinks whose state belongs into the checkpoint. */
export function capturedSinks(names: readonly string[], { sinks, deadLetters }: Open): Captured[] {
  const named: (readonly [string, Sink | Sink<DeadLetter>])[] = [
    ...sinks.map((sink, at): readonly [string, Sink] => [names[at] ?? '', sink]),
    [NAME_OF_DEAD_LETTERS, deadLetters],
  ];
  return named.flatMap(([name, sink]) =>
    sink.capture === undefined ? [] : [{ name, capture: sink.capture.bind(sink) }],
  );
}

/** Nobody is there to tidy up after a run that ends by itself. */
export function tidied({ sinks, deadLetters }: Open, stop: Observable<unknown>): Observable<never> {
  return merge(...[...sinks, deadLetters].map((sink) => sink.finish?.() ?? EMPTY)).pipe(takeUntil(stop));
}
