import { combineLatest, concat, defer, EMPTY, map, merge, NEVER, of, takeUntil, tap } from 'rxjs';
import type { MonoTypeOperatorFunction, Observable, SchedulerLike } from 'rxjs';
import type { Checkpoint } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import { isTransient } from '../model/errors.js';
import type { Sink, SinkResource } from '../model/sink.js';
import type { Transactions } from '../model/transactions.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import type { Captured } from './checkpoint.js';
import { legNames } from './pipeline-spec.js';
import type { PipelineRun, PipelineSpec } from './pipeline-spec.js';

const NAME_OF_DEAD_LETTERS = 'deadLetter';

/** The sinks of a pipeline, and what was saved of it. */
export interface Open {
  readonly transactions: Transactions | undefined;
  readonly saved: Checkpoint | undefined;
  readonly sinks: readonly Sink[];
  readonly deadLetters: Sink<DeadLetter>;
}

/** The back-off for something that may not be there. */
export type PolicyFor = (what: string) => BackoffPolicy;

/** What is opened is tried until it is there; once it was, losing it is an error. */
function untilOpen<T>(policy: BackoffPolicy, scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  return (resource) =>
    defer(() => {
      let isOpen = false;
      return resource.pipe(
        tap(() => (isOpen = true)),
        retryBackoff({ ...policy, recoverable: (error) => !isOpen && isTransient(error) }, scheduler),
      );
    });
}

/** Emits once, also when there are none. */
export function openTransactions(
  { transactions, name = 'pipeline' }: PipelineSpec,
  { report }: PipelineRun,
  patient: PolicyFor,
  scheduler: SchedulerLike,
): Observable<Transactions | undefined> {
  if (transactions === undefined) return concat(of(undefined), NEVER);
  return defer(() => transactions.open({ pipeline: name, report })).pipe(
    untilOpen(patient(`opening ${transactions.name}`), scheduler),
  );
}

/** Opens every sink, each tried until it is there. Emits once; unsubscribing closes them. */
export function openSinks(
  spec: PipelineSpec,
  { saved, transactions }: Pick<Open, 'saved' | 'transactions'>,
  save: Observable<never>,
  { report }: PipelineRun,
  patient: PolicyFor,
  scheduler: SchedulerLike,
): Observable<Open> {
  const pipeline = spec.name ?? 'pipeline';
  const open = <T>(name: string, resource: SinkResource<T>): Observable<Sink<T>> => {
    const policy = patient(`opening ${resource.name} for ${name}`);
    const context = { pipeline, leg: name, saved: saved?.sinks.get(name), save, report, transactions };
    // One that was lost later is opened with what was saved last, and the others with it: by who runs the pipeline.
    return defer(() => resource.open(context)).pipe(untilOpen(policy, scheduler));
  };
  const resources = spec.routes.flatMap((route) => route.to);
  const names = legNames(spec.routes);
  return combineLatest([
    open(NAME_OF_DEAD_LETTERS, spec.deadLetters),
    ...resources.map((resource, at) => open(names[at] ?? '', resource)),
  ]).pipe(map(([deadLetters, ...sinks]) => ({ saved, transactions, deadLetters, sinks })));
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
