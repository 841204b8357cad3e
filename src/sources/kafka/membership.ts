import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  merge,
  Subject,
  switchMap,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
  mergeMap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Lane, LogRecord } from '../../model/batch.js';
import { isTransient, MillraceError, messageOf } from '../../model/errors.js';
import type { AssignedPartition, ConsumerEvent, GroupOffset, KafkaConsumer } from '../../model/kafka.js';
import type { SourceContext } from '../../model/source.js';
import { retryBackoff } from '../../operators/retry-backoff.js';
import { workWhile } from '../../operators/work-while.js';
import { MeanWeight } from './mean-weight.js';
import type { MemberSetting } from './member-setting.js';
import { committedBefore, laneId, PartitionLane } from './partition-lane.js';
import { patience } from './patience.js';

/** All is committed: who does not answer to a goodbye holds nobody up. */
const LEAVE_MS = 2000;

/**
 * One life of a member of the group, from joining to leaving. It knows which partitions are its own, opens and revokes
 * their lanes, and commits what has become durable of them.
 *
 * A partition that stays with the same member over a new division goes on as if nothing had happened, if the group's
 * offset is still what we committed: else somebody else has had it meanwhile.
 */
export class Membership {
  readonly #setting: MemberSetting;
  readonly #consumer: KafkaConsumer;
  readonly #lanes = new Map<string, PartitionLane>();
  readonly #commitSoon = new Subject<void>();
  readonly #done = new Subject<void>();
  readonly #mayEnd = new Subject<void>();
  #member: string | undefined;
  /** Between a division of the group and the next nothing may be committed. */
  #mayCommit = false;
  #isEnding = false;
  /** Lanes were given up, and the new ones are not known. */
  #isDividing = false;
  readonly #weight = new MeanWeight();

  constructor(setting: MemberSetting, consumer: KafkaConsumer) {
    this.#setting = setting;
    this.#consumer = consumer;
  }

  /** Emits lanes. Completes when reading has ended, everything of it is committed, and the group was left. */
  get run(): Observable<Lane> {
    const { context, options, scheduler } = this.#setting;
    const { silenceMs } = options;
    const silent = (): MillraceError =>
      new MillraceError('MILLRACE_E_KAFKA_SILENT', `for ${silenceMs} ms; at least ${this.#lag} messages are unread`);
    const lanes = this.#consumer.events.pipe(
      timeout({ each: silenceMs, with: () => throwError(() => silent()), scheduler }),
      mergeMap((event) => this.#lanesOf(event)),
    );
    const durable = context.durable.pipe(
      tap(() => {
        this.#commitSoon.next();
        this.#finishIfCommitted();
      }),
    );
    const stopping = context.stop.pipe(tap(() => this.#end()));
    // A member of ours that was lost holds its share until its session is over: then it comes back to us.
    const waiting = this.#mayEnd.pipe(
      switchMap(() => timer(2 * options.sessionTimeoutMs, scheduler)),
      tap(() => {
        if (this.#isAllRead) this.#end();
      }),
    );
    const aside = merge(durable, stopping, waiting).pipe(ignoreElements());
    const reading = merge(this.#commits, lanes, aside);
    const leave = defer(() => this.#consumer.leave()).pipe(
      catchError(() => EMPTY),
      takeUntil(timer(LEAVE_MS, scheduler)),
    );
    return concat(reading.pipe(takeUntil(this.#done)), leave);
  }

  /** Somebody else owns everything now, or soon will. */
  revokeAll(): void {
    for (const lane of [...this.#lanes.values()]) this.#revoke(lane);
  }

  get #commits(): Observable<never> {
    const { scheduler, context } = this.#setting;
    const commit = defer(() => {
      const offsets = this.#due();
      return offsets.length === 0
        ? EMPTY
        : this.#commit(offsets).pipe(tap({ complete: () => this.#committed(offsets) }));
    }).pipe(
      retryBackoff({ initialMs: 100, maxMs: 2000, recoverable: isTransient }, scheduler),
      catchError((error: unknown) => {
        // Whoever owns the lanes now goes on from the last commit; the records between have the same ids.
        this.#mayCommit = false;
        context.report({ level: 'debug', message: `not committed: ${messageOf(error)}` });
        return EMPTY;
      }),
      tap({ complete: () => this.#finishIfCommitted() }),
    );
    return this.#commitSoon.pipe(
      workWhile(() => this.#due().length > 0, commit),
      ignoreElements(),
    );
  }

  #commit(offsets: readonly GroupOffset[]): Observable<never> {
    // With transactions what is durable is committed.
    return this.#setting.context.claim === undefined ? this.#consumer.commit(offsets) : EMPTY;
  }

  /** What is durable, of lanes that are ours, and not committed yet: contiguous, because lanes settle in order. */
  #due(): GroupOffset[] {
    if (!this.#mayCommit) return [];
    const { durable } = this.#setting;
    return [...this.#lanes.values()].flatMap(({ id, where, emitted, committed, begun }) => {
      const offset = durable.get(id) ?? -1;
      // A position that the lane has not come to is of an earlier life of it.
      const isOurs = offset <= emitted && offset > (committed ?? begun ?? -1);
      return isOurs ? [{ ...where, offset }] : [];
    });
  }

  #committed(offsets: readonly GroupOffset[]): void {
    for (const each of offsets) {
      const lane = this.#lanes.get(laneId(each));
      if (lane !== undefined) lane.committed = each.offset;
    }
  }

  #lanesOf(event: ConsumerEvent): readonly Lane[] {
    switch (event.kind) {
      case 'assigned':
        return this.#assigned(event.member, event.partitions);
      case 'rebalancing':
        // The old division is good until the new one is made: the last chance to commit in it.
        this.#commitSoon.next();
        this.#mayCommit = false;
        // Who claims a lane goes on from what is committed then, and that we cannot know before.
        if (this.#setting.context.claim !== undefined) {
          this.#isDividing = true;
          this.revokeAll();
        }
        return [];
      case 'fetched':
        return this.#fetched(event);
      case 'alive':
        return [];
    }
  }

  #assigned(member: string, partitions: readonly AssignedPartition[]): readonly Lane[] {
    const now = new Map(partitions.map((partition) => [laneId(partition), partition]));
    for (const lane of [...this.#lanes.values()]) {
      const partition = now.get(lane.id);
      const isStill = member === this.#member && partition !== undefined && partition.committed === lane.committed;
      if (isStill) lane.goOn();
      else this.#revoke(lane);
    }
    this.#member = member;
    this.#isDividing = false;
    this.#mayCommit = true;
    const fresh = this.#isEnding ? [] : partitions.filter((partition) => !this.#lanes.has(laneId(partition)));
    const opened = fresh.map((partition) => this.#open(partition));
    this.#commitSoon.next();
    this.#endIfAllRead();
    this.#finishIfCommitted();
    return opened.map(({ lane }) => lane);
  }

  #open(partition: AssignedPartition): PartitionLane {
    const { options, decode, context, ends } = this.#setting;
    const { demand, stop, once, report } = context;
    const { committed, low, high } = partition;
    const id = laneId(partition);
    if (committed !== undefined && committed < low) report(lost(id, committed, low));
    const settled = this.#settledBefore(partition);
    const first = options.from === 'beginning' ? low : high;
    const begin = Math.max(committed ?? settled ?? first, low, settled ?? 0);
    const end = once ? (ends.get(id) ?? high) : undefined;
    if (end !== undefined) ends.set(id, end);
    const fields = options.metadata
      ? { ...options.fields, 'kafka.topic': partition.topic, 'kafka.partition': partition.partition }
      : options.fields;
    const onEnd = (): void => {
      this.#setting.ended.add(id);
      this.#endIfAllRead();
      this.#finishIfCommitted();
    };
    const patiently = patience<readonly LogRecord[]>(id, this.#setting);
    const keepsState = context.claim === undefined;
    const setting = { consumer: this.#consumer, decode, demand, stop, fields, onEnd, patiently, keepsState };
    const lane = new PartitionLane(setting, partition, begin, end);
    if (settled === undefined) lane.begun = begin;
    this.#lanes.set(id, lane);
    return lane;
  }

  /**
   * How far the lane had settled when we lost it, or the process ended: the checkpoint is ahead of the group, which hears
   * of it later. Undefined where that is not known, or somebody has set the group back meanwhile, or the log is another.
   */
  #settledBefore({ topic, partition, committed, high }: AssignedPartition): number | undefined {
    const { context } = this.#setting;
    const id = laneId({ topic, partition });
    const before = context.saved.get(id);
    // With transactions the group is ahead of what else is saved, never behind.
    if (before === undefined || context.claim !== undefined) return undefined;
    const known = committedBefore(before.state);
    if (known === undefined) return undefined;
    const isSameGroup = known === null || (committed !== undefined && committed >= known);
    if (isSameGroup && before.position <= high) return before.position;
    this.#forget(id);
    return undefined;
  }

  /** What is known of it, and what sinks know, is of another log, or of another time. */
  #forget(id: string): void {
    this.#setting.context.forget(id);
    this.#setting.durable.delete(id);
  }

  #fetched(event: Extract<ConsumerEvent, { kind: 'fetched' }>): readonly Lane[] {
    const lane = this.#lanes.get(laneId(event));
    if (lane === undefined) return [];
    this.#weight.add(event.messages);
    this.#setting.context.behind(this.#weight.of(this.#lag));
    if (lane.take(event)) return [];
    // The log does not have our offset any more: it was emptied, or made anew. What it has now is another lane.
    const { topic, partition, from, high } = event;
    this.#setting.context.report(lost(lane.id, lane.next, from));
    this.#revoke(lane);
    if (from < lane.next) this.#forget(lane.id);
    if (this.#isEnding) return [];
    return [this.#open({ topic, partition, low: from, high, committed: from }).lane];
  }

  /** Messages that are known to be there and were not fetched yet. */
  get #lag(): number {
    let lag = 0;
    for (const lane of this.#lanes.values()) lag += lane.lag;
    return lag;
  }

  #revoke(lane: PartitionLane): void {
    this.#lanes.delete(lane.id);
    lane.revoke();
    // Else it is kept: the group may give the lane back to us before it has heard how far we were.
    if (this.#setting.context.claim !== undefined) this.#forget(lane.id);
  }

  /** With `once`: everything that was there has been read. */
  #endIfAllRead(): void {
    if (!this.#setting.context.once || this.#member === undefined) return;
    if (!this.#isAllRead) return;
    const { ends, ended } = this.#setting;
    if ([...ends.keys()].every((id) => this.#lanes.has(id) || ended.has(id))) this.#end();
    else this.#mayEnd.next();
  }

  get #isAllRead(): boolean {
    return [...this.#lanes.values()].every(({ hasEnded }) => hasEnded);
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#setting.context.ended();
    this.#finishIfCommitted();
  }

  /** The connection outlives the reading: what was read is settled and committed first. */
  #finishIfCommitted(): void {
    // In the middle of a new division a member cannot leave in good order.
    if (!this.#isEnding || this.#isDividing) return;
    const isOpen = [...this.#lanes.values()].some(
      ({ emitted, committed, lane, hasEnded }) => !hasEnded || emitted > (committed ?? lane.position),
    );
    if (!isOpen) this.#done.next();
  }
}

function lost(id: string, wanted: number, found: number): Parameters<SourceContext['report']>[0] {
  const message = `${id}: offset ${wanted} is not there any more, going on at ${found}`;
  return { level: 'error', code: 'MILLRACE_E_KAFKA_LOST', message };
}
