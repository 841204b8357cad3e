import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  endWith,
  filter,
  finalize,
  identity,
  ignoreElements,
  map,
  merge,
  mergeMap,
  Observable,
  observeOn,
  of,
  ReplaySubject,
  Subject,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
} from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import type { Lane } from '../model/batch.js';
import type { Checkpoint, CheckpointStore } from '../model/checkpoint.js';
import { MillraceError, isTransient } from '../model/errors.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import { dated } from './arrivals.js';
import { Checkpointer } from './checkpoint.js';
import { Budget } from './demand.js';
import { leg } from './leg.js';
import { Memories } from './memories.js';
import { capturedSinks, openSinks, openTransactions, tidied } from './open.js';
import type { Open, PolicyFor } from './open.js';
import { mirrorsOf } from './mirrors.js';
import { legNames } from './pipeline-spec.js';
import type { PipelineRun, PipelineSpec } from './pipeline-spec.js';
import { withNotices } from './retry-notices.js';
import { settle } from './settle.js';
import type { PlacedLeg, Settled } from './settle.js';
import { filterFor, transform } from './transform.js';
import { Turns } from './turns.js';

/** Fewer records say nothing about a ratio. */
const MIN_RECORDS_FOR_RATIO = 1000;

/** Throws when too large a share of the records became dead letters. */
function deadLetterLimit(maxRatio: number): (settled: Settled) => void {
  let read = 0;
  let dead = 0;
  return ({ ledger: { total } }) => {
    read += total.read;
    dead += total.deadLettered;
    if (read < MIN_RECORDS_FOR_RATIO) return;
    if (dead / read > maxRatio) throw new MillraceError('MILLRACE_E_FLOW_DEAD_LETTER_RATIO', `${dead} of ${read}`);
    read = 0;
    dead = 0;
  };
}

/**
 * Runs a pipeline: loads the checkpoint, opens the sinks, then the source, and settles every lane. Emits what settles,
 * after it was noted for the next checkpoint; where the checkpoint commits the output, after that was durable.
 *
 * - on error: passed on when a sink or a stage cannot go on; subscribing again starts from the last checkpoint.
 * - on complete: when the source has ended, or was stopped, and everything is settled and saved.
 * - on unsubscribe: everything is closed at once; what was not saved is read again next time.
 */
export function pipeline(
  spec: PipelineSpec,
  run: PipelineRun,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<Settled> {
  return defer(() => {
    const wake = new Subject<unknown>();
    const policy: BackoffPolicy = { ...spec.policy, wake };
    const patient = (what: string): BackoffPolicy => ({
      ...withNotices(policy, what, run.report, scheduler),
      recoverable: isTransient,
    });
    let isOpen = false;
    const checkpointer = new ReplaySubject<Checkpointer>(1);
    const save = checkpointer.pipe(
      take(1),
      switchMap((ready) => ready.saveNow()),
    );
    const load = (store: CheckpointStore): Observable<Checkpoint | undefined> =>
      defer(() => store.load()).pipe(retryBackoff(patient('loading the checkpoint'), scheduler));
    const opened = openTransactions(spec, run, patient, scheduler).pipe(
      switchMap((transactions) =>
        load(transactions?.store ?? spec.store).pipe(map((saved) => ({ saved, transactions }))),
      ),
      switchMap((begin) => openSinks(spec, begin, save, run, patient, scheduler)),
      // Until everything is open nothing was read, so there is nothing to drain.
      takeUntil(run.stop.pipe(filter(() => !isOpen))),
    );
    const work = opened.pipe(
      tap(() => {
        isOpen = true;
        run.onOpen?.();
      }),
      // The sinks stay open for as long as anything flows; the mark after it closes them.
      switchMap((open) =>
        flow(
          spec,
          run,
          { ...open, checkpointer },
          withNotices(policy, 'delivering', run.report, scheduler),
          patient,
          scheduler,
        ).pipe(endWith(undefined)),
      ),
      takeWhile((batch) => batch !== undefined),
    );
    // A stop cuts running waits short, once; later ones take their time again. Not before everybody has heard of it: what
    // is delivered at once then may end a lane, which would be opened again.
    const wakeUp = run.stop.pipe(
      observeOn(scheduler),
      tap(() => wake.next(undefined)),
      ignoreElements(),
      takeUntil(wake),
    );
    return new Observable<Settled>((subscriber) => {
      const waking = wakeUp.subscribe();
      subscriber.add(waking);
      subscriber.add(work.subscribe(subscriber));
    });
  });
}

/** What nobody has classified may pass as well; what became of a transaction shows when the pipeline starts again. */
function isWorthSavingAgain(error: unknown): boolean {
  return isTransient(error) || !(error instanceof MillraceError);
}

/** Passes on when it is durable, in order: with many that wait at once, one transaction serves them all. */
function onceDurable(checkpointer: Checkpointer): MonoTypeOperatorFunction<Settled> {
  // Demand bounds how many wait.
  return mergeMap((settled) => concat(checkpointer.saveNow(), of(settled)), Infinity);
}

interface Flowing extends Open {
  /** Gets the checkpointer as soon as there is one. */
  readonly checkpointer: Subject<Checkpointer>;
}

/** Everything between an open source and open sinks. */
function flow(
  spec: PipelineSpec,
  run: PipelineRun,
  open: Flowing,
  delivering: BackoffPolicy,
  patient: PolicyFor,
  scheduler: SchedulerLike,
): Observable<Settled> {
  const { saved, sinks, transactions } = open;
  const { arrivalsEveryMs = 60_000 } = spec;
  const names = legNames(spec.routes);
  const routeOf = spec.routes.flatMap((route, at) => route.to.map(() => at));
  const budget = new Budget({ budgetBytes: spec.budgetBytes ?? 64 * 1024 * 1024 });
  const memories = new Memories(saved?.stages);
  const checkpointer = new Checkpointer(
    {
      store: transactions?.store ?? spec.store,
      saved,
      sinks: capturedSinks(names, open),
      stages: memories,
      everyMs: spec.checkpointEveryMs ?? 1000,
      policy: { ...patient('saving the checkpoint'), recoverable: isWorthSavingAgain },
    },
    scheduler,
  );
  open.checkpointer.next(checkpointer);
  const legs: PlacedLeg[] = sinks.map((sink, at) => ({
    name: names[at] ?? '',
    route: routeOf[at] ?? 0,
    deliver: leg(sink, { policy: delivering }, scheduler),
  }));
  const mirrors = mirrorsOf(spec.routes, { pipeline: spec.name ?? 'pipeline', report: run.report }, scheduler);
  const settling = {
    transform: mirrors.beside(transform(spec.stages, spec.routes, memories)),
    legs,
    deadLetters: leg(open.deadLetters, { policy: delivering }, scheduler),
  };
  const usesArrivals = [...sinks, open.deadLetters].some((sink) => sink.usesArrivals === true);
  const turns = new Turns();
  const limit = deadLetterLimit(spec.maxDeadLetterRatio ?? 1);
  const note = (batch: Settled): void => {
    limit(batch);
    memories.settled(batch.lane, batch.position);
    transactions?.settled(batch.lane, batch.position);
    checkpointer.settled(batch);
  };
  const settleLane = (lane: Lane): Observable<Settled> => {
    const batches = lane.batches.pipe(
      usesArrivals ? dated(lane, { checkpointer, everyMs: arrivalsEveryMs }, scheduler) : identity,
      settle(lane, settling),
      tap(note),
      transactions === undefined ? identity : onceDurable(checkpointer),
    );
    const work = concat(checkpointer.admit(lane), batches).pipe(finalize(() => budget.close(lane.id)));
    // A lane that is opened again must not overtake what is still to be settled of it: positions would go back.
    return turns.take(lane.id, work).pipe(takeUntil(lane.revoked));
  };
  const lanes = defer(() =>
    spec.source.open({
      isFirstStart: saved === undefined,
      saved: checkpointer.lanes,
      demand: budget,
      stop: run.stop,
      once: run.once,
      startDeadlineMs: run.startDeadlineMs,
      forget: (lane) => checkpointer.forget(lane),
      filterFor: filterFor(spec.stages, spec.routes),
      durable: checkpointer.durable,
      claim: transactions?.claim?.bind(transactions),
      ended: () => checkpointer.hurry(),
      report: run.report,
      behind: (bytes) => run.behind(bytes),
    }),
  );
  const settled = lanes.pipe(
    // Every lane at once: the source decides how many there are, and demand how much they hold.
    mergeMap(settleLane, Infinity),
    tap((batch) => budget.release(batch.lane, batch.bytes)),
  );
  const finished = new Subject<void>();
  return merge(
    merge(checkpointer.run, mirrors.run).pipe(takeUntil(finished)),
    // Before anything is written: where the sinks begin. After everything has settled: where they end.
    concat(checkpointer.saveNow(), settled, checkpointer.saveNow(), run.once ? tidied(open, run.stop) : EMPTY).pipe(
      finalize(() => finished.next()),
    ),
  );
}
