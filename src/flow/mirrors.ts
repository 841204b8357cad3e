import {
  asyncScheduler,
  auditTime,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  merge,
  ReplaySubject,
  Subject,
  subscribeOn,
  switchMap,
  take,
  tap,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { messageOf } from '../model/errors.js';
import type { LogEvent } from '../model/event.js';
import type { Delivery, Sink, SinkContext, SinkResource } from '../model/sink.js';
import { hash53, HASHES } from '../operators/hash.js';
import { mirror } from '../operators/mirror.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import { withNotices } from './retry-notices.js';
import type { Transform } from './transform.js';

/** A share of a route's events for a second sink, which can never slow, fail or change the pipeline. */
export interface MirrorSpec {
  readonly to: SinkResource;
  /** The share, 0 … 1, by a hash of `event.id`: the same events in every run. Default 0.1. */
  readonly ratio?: number;
  /** So many batches may wait; what comes beyond is dropped. Default 16. */
  readonly maxBatches?: number;
}

/** What mirrors know of their pipeline. */
type MirrorContext = Pick<SinkContext, 'pipeline' | 'report'>;

/** The mirrors of a pipeline. */
export interface Mirrors {
  /** The transform; what it makes of a batch is offered to the mirrors as well. */
  beside(transform: Transform): Transform;
  /** Sends while it is subscribed; never emits, and never errors. What waits at its end is lost. */
  readonly run: Observable<never>;
}

/** A batch that the sink does not take in this time is given up. */
const MAX_SEND_MS = 10_000;
/** How often losses are told. */
const TELL_EVERY_MS = 10_000;
/** The longest wait before the sink is opened again. */
const MAX_WAIT_MS = 30_000;

type Losses = Record<'noRoom' | 'failed' | 'ended' | 'refused', number>;
type Tell = (losses: Losses, lastFault: string | undefined) => void;

/** Counts events that did not arrive, and tells of them now and then. */
class Lost {
  readonly #tell: Tell;
  readonly #more = new Subject<void>();
  #losses: Losses = { noRoom: 0, failed: 0, ended: 0, refused: 0 };
  #lastFault: string | undefined;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  add(why: keyof Losses, count: number, fault?: unknown): void {
    if (count === 0) return;
    this.#losses[why] += count;
    if (fault !== undefined) this.#lastFault = messageOf(fault);
    this.#more.next();
  }

  /** The last ones are told when it is unsubscribed. */
  telling(scheduler: SchedulerLike): Observable<never> {
    const told = (): void => {
      const [losses, lastFault] = [this.#losses, this.#lastFault];
      this.#losses = { noRoom: 0, failed: 0, ended: 0, refused: 0 };
      this.#lastFault = undefined;
      if (Object.values(losses).some((count) => count > 0)) this.#tell(losses, lastFault);
    };
    return this.#more.pipe(auditTime(TELL_EVERY_MS, scheduler), tap(told), finalize(told), ignoreElements());
  }
}

interface Mirror {
  readonly offer: (delivery: Delivery) => void;
  readonly run: Observable<never>;
}

/**
 * One mirror. What it is offered waits in a bounded queue and is sent in a task of its own, one batch at a time: nothing
 * waits for it, nothing is tried again, and what does not arrive is counted and reported.
 */
function mirrorOf(
  { to, ratio = 0.1, maxBatches = 16 }: MirrorSpec,
  leg: string,
  { pipeline, report }: MirrorContext,
  scheduler: SchedulerLike,
): Mirror {
  const limit = ratio * HASHES;
  const isChosen = (event: LogEvent): boolean => hash53(event.id) < limit;
  const offers = new Subject<Delivery>();
  const sinks = new ReplaySubject<Sink>(1);
  const lost = new Lost((losses, lastFault) => {
    const count = Object.values(losses).reduce((sum, each) => sum + each, 0);
    const why = lastFault === undefined ? '' : `; the last fault: ${lastFault}`;
    const message = `${leg}: ${count} events were not mirrored to ${to.name}${why}`;
    report({ level: 'warn', code: 'MILLRACE_E_FLOW_MIRROR_LOST', message, details: losses });
  });
  const send = (delivery: Delivery): Observable<unknown> =>
    sinks.pipe(
      take(1),
      switchMap((sink) => sink.deliver(delivery)),
      tap(({ refused }) => lost.add('refused', refused.length, refused[0]?.reason)),
    );
  const sending = offers.pipe(
    mirror(
      {
        to: send,
        ratio: 1,
        maxQueue: maxBatches,
        maxMs: MAX_SEND_MS,
        onLost: ({ items }, how) => lost.add(how.why, items.length, how.why === 'failed' ? how.error : undefined),
      },
      scheduler,
    ),
  );
  const opening = defer(() => to.open({ pipeline, leg, saved: undefined, save: EMPTY, report })).pipe(
    tap((sink) => sinks.next(sink)),
    retryBackoff(withNotices({ maxMs: MAX_WAIT_MS }, `opening ${to.name} for ${leg}`, report, scheduler), scheduler),
    // In a task of its own, as sending is.
    subscribeOn(scheduler),
  );
  return {
    offer: (delivery) => {
      const items = delivery.items.filter(isChosen);
      if (items.length > 0) offers.next({ ...delivery, items });
    },
    // Losses are told last: also those at the end.
    run: merge(sending, opening, lost.telling(scheduler)).pipe(ignoreElements()),
  };
}

/** The mirrors of these routes. */
export function mirrorsOf(
  routes: readonly { readonly name: string; readonly mirror?: MirrorSpec | undefined }[],
  context: MirrorContext,
  scheduler: SchedulerLike = asyncScheduler,
): Mirrors {
  const all = routes.flatMap(({ name, mirror: spec }, route) =>
    spec === undefined ? [] : [{ route, ...mirrorOf(spec, `${name}/mirror`, context, scheduler) }],
  );
  return {
    beside: (transform) => (lane, batch) =>
      transform(lane, batch).pipe(
        tap(({ position, routes: outputs }) => {
          for (const { route, offer } of all) {
            offer({ lane: lane.id, position, items: outputs[route]?.events ?? [] });
          }
        }),
      ),
    run: merge(...all.map(({ run }) => run)),
  };
}
