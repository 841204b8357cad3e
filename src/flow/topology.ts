import {
  asyncScheduler,
  catchError,
  concat,
  connect,
  defer,
  EMPTY,
  finalize,
  from,
  merge,
  NEVER,
  of,
  ReplaySubject,
  take,
} from 'rxjs';
import type { Observable, ObservableInput, SchedulerLike } from 'rxjs';
import type { CheckpointStore } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import { MillraceError, messageOf } from '../model/errors.js';
import type { Notice } from '../model/notice.js';
import type { EventSink, SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import type { MirrorSpec } from './mirrors.js';
import { pipeline } from './pipeline.js';
import type { PipelineSpec } from './pipeline-spec.js';
import { refusedTo } from './refused-to.js';
import type { Settled } from './settle.js';
import { startDeadline } from './start-deadline.js';
import type { EventOperator } from './way.js';

/** Sinks of a route: one at least. */
type Sinks = readonly [SinkResource, ...SinkResource[]];

/** A place for dead letters: a sink of theirs, or one of events that writes them in their own form. */
type DeadLetterPlace = SinkResource<DeadLetter> | EventSink;

/** A route: stages of its own, and where its events go. */
export interface TopologyRoute {
  readonly stages?: readonly EventOperator[];
  readonly to: Sinks;
  /** A second sink that gets a share of the route's events, as far as it can take them. */
  readonly mirror?: MirrorSpec;
}

/** How a topology is run. */
interface RunSettings {
  /** Read what is there, settle, save and complete. Default false. */
  readonly once?: boolean;
  /**
   * Its first value (a promise's, an Observable's) ends the run in order: reading stops, what was read is settled and
   * saved, the result completes. Without it only unsubscribing ends a run, at once.
   */
  readonly stop?: ObservableInput<unknown>;
  /** At most one checkpoint in this time. Default 1000. */
  readonly checkpointEveryMs?: number;
  /** What may be between source and sinks, in bytes. Default 64 MiB. */
  readonly budgetBytes?: number;
  /** Above this share of dead letters, of at least 1000 records, the run ends with an error. Default 1: never. */
  readonly maxDeadLetterRatio?: number;
  /** With `once`: what source and sinks may take to be reached. Default 30 000. */
  readonly startDeadlineMs?: number;
  /** How deliveries, openings and checkpoints are tried again. */
  readonly policy?: BackoffPolicy;
  /** Hears what an operator should know: retries, lost bytes. */
  readonly report?: (notice: Notice) => void;
  /** Hears now and then how many bytes the source knows to be unread. */
  readonly behind?: (bytes: number) => void;
}

/** How a topology is run, and where its state and its dead letters are kept: never nowhere. */
export type RunOptions = RunSettings &
  (
    | {
        /** Where positions and state are kept, with a place for dead letters beside it (`checkpointFile`). */
        readonly checkpoint: CheckpointStore & { readonly deadLetters: SinkResource<DeadLetter> };
        /** Where dead letters go; what it refuses goes to the place beside the checkpoint, which is the default. */
        readonly deadLetters?: DeadLetterPlace;
      }
    | { readonly checkpoint: CheckpointStore; readonly deadLetters: DeadLetterPlace }
  );

/** A topology without a source. */
export interface TopologyBeginning {
  /** Where records come from. */
  from(source: Source): TopologyFlow;
}

/** A topology that has nowhere to go yet. */
export interface TopologyFlow extends TopologyRoutes {
  /** What happens to every event, in this order: stages, RxJS's own operators, or yours. */
  through(...stages: readonly EventOperator[]): TopologyFlow;
}

/** Where the events of a topology can go. */
export interface TopologyRoutes {
  /** Sinks that each get every event. Their names are route1, route2 …, as in a configuration. */
  deliver(...sinks: Sinks): Topology;
  /** A way of its own: every event enters it. `name`: without a slash, unique. */
  route(name: string, route: TopologyRoute): Topology;
}

/** A topology that can be run, or given further routes. */
export interface Topology extends TopologyRoutes {
  /**
   * The running pipeline, cold: it starts when it is subscribed. Emits each batch that has settled, with its ledger.
   *
   * - on error: passed on when the pipeline cannot go on; everything is closed. Subscribing again (`retryBackoff`)
   *   goes on from the last checkpoint.
   * - on complete: when the source has ended, or was stopped, and everything is settled and saved.
   * - on unsubscribe: everything is closed at once; what was not saved is read again next time. To end in order: `stop`.
   * - never emits a batch before it was noted for the next checkpoint; batches of a lane come in order.
   * - memory: `budgetBytes`, and what source and sinks say.
   */
  run(options: RunOptions, scheduler?: SchedulerLike): Observable<Settled>;
}

type Parts = Pick<PipelineSpec, 'source' | 'stages' | 'routes'> & { readonly name: string };

/**
 * Puts a pipeline together: `topology().from(source).through(stages).deliver(sinks).run(options)`. The same pipeline as a
 * configuration's, with the same guarantees: completion is the acknowledgement. Each step gives a new topology, so a
 * beginning may be shared. Nothing happens before the result of `run` is subscribed.
 *
 * Wrong use is a type error; where types cannot tell (a route's name that is taken, two sinks on one file),
 * MILLRACE_E_FLOW_TOPOLOGY is thrown while it is put together.
 *
 * `name`: what sinks know it by; with the names of the routes it is what saved state is found again by.
 *
 * @example
 * ```ts
 * const sink = new RecordingSink();
 * topology()
 *   .from({ open: () => of(laneOf('app', of(batchOf(['ERROR|a', 'INFO|b'])))) })
 *   .through(parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }))
 *   .route('problems', { stages: [keep({ level: ['ERROR'] })], to: [resourceOf(sink)] })
 *   .run({
 *     checkpoint: { load: () => of(undefined), save: () => EMPTY, deadLetters: resourceOf(new RecordingSink()) },
 *   })
 *   .subscribe(({ ledger }) => console.log(ledger.legs));
 * // → { problems: { read: 2, expanded: 0, filtered: 1, delivered: 1, deadLettered: 0, duplicates: 0 } }
 * ```
 */
export function topology(name = 'pipeline'): TopologyBeginning {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw fault(`"${name}" is no name of letters, digits, ".", "_" and "-"`);
  return { from: (source) => flowing({ name, source, stages: [], routes: [] }) };
}

function fault(detail: string): MillraceError {
  return new MillraceError('MILLRACE_E_FLOW_TOPOLOGY', detail);
}

function flowing(parts: Parts): TopologyFlow {
  return {
    through: (...stages) => flowing({ ...parts, stages: [...parts.stages, ...stages] }),
    ...routing(parts),
  };
}

function routing(parts: Parts): TopologyRoutes {
  const route = (name: string, { stages = [], to, ...rest }: TopologyRoute): Topology => {
    checkRoute(parts, name, to);
    if (rest.mirror !== undefined) checkMirror(name, rest.mirror);
    const routes = [...parts.routes, { name, stages, to, ...rest }];
    checkFiles(routes.flatMap(sinksOf));
    const next = { ...parts, routes };
    return { ...routing(next), run: (options, scheduler) => running(next, options, scheduler) };
  };
  return { route, deliver: (...to) => route(`route${parts.routes.length + 1}`, { to }) };
}

function checkRoute({ routes }: Parts, name: string, to: readonly unknown[]): void {
  // The names of legs and memories are made of it.
  if (name === '' || name.includes('/')) throw fault(`"${name}" is no name of a route: it is empty or has a slash`);
  if (routes.some((other) => other.name === name)) throw fault(`there are two routes "${name}"`);
  if (to.length === 0) throw fault(`route "${name}" has no sink`);
}

function checkMirror(route: string, { ratio = 0, maxBatches = 1 }: MirrorSpec): void {
  const has = `the mirror of route "${route}" has`;
  if (!(ratio >= 0 && ratio <= 1)) throw fault(`${has} ratio ${ratio}, expected 0 … 1`);
  if (!(maxBatches >= 1)) throw fault(`${has} maxBatches ${maxBatches}, expected at least 1`);
}

function sinksOf({ to, mirror }: Parts['routes'][number]): readonly SinkResource[] {
  return mirror === undefined ? to : [...to, mirror.to];
}

function checkFiles(sinks: readonly Pick<SinkResource, 'name' | 'isExclusive'>[]): void {
  const names = sinks.filter(({ isExclusive }) => isExclusive === true).map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw fault(`two sinks write ${twice}`);
}

/** Where dead letters go, and then what is refused there. */
function deadLetterPlaces({ checkpoint, deadLetters }: RunOptions): readonly SinkResource<DeadLetter>[] {
  const given = deadLetters !== undefined && 'deadLetters' in deadLetters ? deadLetters.deadLetters : deadLetters;
  const beside = 'deadLetters' in checkpoint ? checkpoint.deadLetters : undefined;
  return [given, beside?.name === given?.name ? undefined : beside].filter((place) => place !== undefined);
}

function running(parts: Parts, options: RunOptions, scheduler: SchedulerLike = asyncScheduler): Observable<Settled> {
  const { checkpoint, once = false, stop = NEVER, startDeadlineMs = 30_000, ...settings } = options;
  const { report = () => undefined, behind = () => undefined } = settings;
  const [first, second] = deadLetterPlaces(options);
  if (first === undefined) throw fault('dead letters have no place: give run() deadLetters');
  const deadLetters = second === undefined ? first : refusedTo(first, second);
  checkFiles([...parts.routes.flatMap(sinksOf), ...deadLetterPlaces(options)]);
  const spec: PipelineSpec = { ...settings, ...parts, deadLetters, store: checkpoint };
  const runUntil = (stopping: Observable<unknown>): Observable<Settled> =>
    defer(() => {
      const opened = new ReplaySubject<void>(1);
      const onOpen = (): void => opened.next();
      const work = pipeline(spec, { stop: stopping, once, startDeadlineMs, report, behind, onOpen }, scheduler);
      const deadline = once ? startDeadline(startDeadlineMs, opened, scheduler) : EMPTY;
      return merge(work.pipe(finalize(onOpen)), deadline);
    });
  const stopOnce = defer(() => from(stop)).pipe(
    take(1),
    catchError((error: unknown) => {
      report({ level: 'error', message: `waiting for the stop: ${messageOf(error)}; stopping` });
      return of(undefined);
    }),
  );
  // Whoever asks later must hear of the stop too, and its end is none.
  return concat(stopOnce, NEVER).pipe(connect(runUntil, { connector: () => new ReplaySubject<unknown>(1) }));
}
