import { concat, defer, EMPTY, from, map, mergeMap, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../src/model/errors.js';
import type {
  GroupOffset,
  IncomingMessage,
  Kafka,
  PartitionOffset,
  ReadOptions,
  TopicPartition,
  TransactionalMessage,
  TransactionalProducer,
} from '../../src/model/kafka.js';
import type { Seeded } from '../../src/testing/seeded.js';

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** A call that takes time, happens or not, and may be the one at which the process dies. */
export type Call = <T>(name: string, effect: () => T) => Observable<T>;

/** An entry of a log, and the transaction that it is of. */
interface Entry {
  readonly message: TransactionalMessage;
  state: 'open' | 'committed' | 'aborted';
}

/** Who may use a transactional id, and what is open of it. */
interface IdState {
  epoch: number;
  entries: Entry[];
  offsets: { readonly group: string; readonly offset: GroupOffset }[];
}

const FENCED = 'MILLRACE_E_KAFKA_FENCED';

/** What the brokers of a cluster know, whatever process asks: logs, transactional ids and the offsets of groups. */
export class FakeBroker {
  /** How many commits were answered with an error. */
  failures = 0;
  /** Hears what is about to be committed. */
  onCommit: (messages: readonly TransactionalMessage[]) => void = () => {};
  readonly #logs = new Map<string, Entry[]>();
  readonly #ids = new Map<string, IdState>();
  readonly #groups = new Map<string, GroupOffset>();

  /** Puts a message outside of any transaction. */
  append(message: TransactionalMessage): void {
    this.#log(message).push({ message, state: 'committed' });
  }

  /** What somebody gets to see who reads what is committed. */
  committed(where: TopicPartition): readonly IncomingMessage[] {
    return this.#log(where).flatMap(({ message, state }, offset) =>
      state === 'committed' ? [incoming(message, offset)] : [],
    );
  }

  /** Of each key the latest. */
  latest(where: TopicPartition): ReadonlyMap<string, IncomingMessage> {
    return new Map(this.committed(where).map((message) => [Buffer.from(message.key ?? []).toString(), message]));
  }

  /** What is left of it when it is compacted: of each key the latest, if that is not null. */
  compacted(where: TopicPartition): readonly IncomingMessage[] {
    return [...this.latest(where).values()].filter(({ value }) => value !== null).sort((a, b) => a.offset - b.offset);
  }

  end(where: TopicPartition): number {
    return this.#log(where).length;
  }

  /** Up to here there is nothing open. */
  stable(where: TopicPartition): number {
    const open = this.#log(where).findIndex(({ state }) => state === 'open');
    return open < 0 ? this.end(where) : open;
  }

  offsetOf(group: string, where: TopicPartition): GroupOffset | undefined {
    return this.#groups.get(`${group} ${nameOf(where)}`);
  }

  /** Commits an offset outside of any transaction. */
  commitOffset(group: string, offset: GroupOffset): void {
    this.#groups.set(`${group} ${nameOf(offset)}`, offset);
  }

  /** Takes an id over; what was open is aborted. Gives the epoch. */
  begin(id: string): number {
    const state = this.#ids.get(id) ?? { epoch: 0, entries: [], offsets: [] };
    this.#ids.set(id, state);
    for (const entry of state.entries) entry.state = 'aborted';
    state.entries = [];
    state.offsets = [];
    return ++state.epoch;
  }

  write(id: string, epoch: number, messages: readonly TransactionalMessage[]): PartitionOffset[] {
    const state = this.#own(id, epoch);
    const firsts = new Map<string, PartitionOffset>();
    for (const message of messages) {
      const log = this.#log(message);
      const { topic, partition } = message;
      if (!firsts.has(nameOf(message))) firsts.set(nameOf(message), { topic, partition, offset: log.length });
      const entry: Entry = { message, state: 'open' };
      log.push(entry);
      state.entries.push(entry);
    }
    return [...firsts.values()];
  }

  writeOffsets(id: string, epoch: number, group: string, offsets: readonly GroupOffset[]): void {
    const state = this.#own(id, epoch);
    state.offsets.push(...offsets.map((offset) => ({ group, offset })));
  }

  commit(id: string, epoch: number): void {
    const state = this.#own(id, epoch);
    this.onCommit(state.entries.map(({ message }) => message));
    for (const entry of state.entries) entry.state = 'committed';
    for (const { group, offset } of state.offsets) this.commitOffset(group, offset);
    state.entries = [];
    state.offsets = [];
  }

  #own(id: string, epoch: number): IdState {
    const state = this.#ids.get(id);
    if (state?.epoch !== epoch) throw new MillraceError(FENCED, id);
    return state;
  }

  #log(where: TopicPartition): Entry[] {
    const name = nameOf(where);
    let log = this.#logs.get(name);
    if (log === undefined) this.#logs.set(name, (log = []));
    return log;
  }
}

function incoming({ key, value, headers }: TransactionalMessage, offset: number): IncomingMessage {
  const bytes = (text: string | Uint8Array | null): Uint8Array | null => (text === null ? null : Buffer.from(text));
  return { offset, timestampMs: 0, key: bytes(key), value: bytes(value), headers };
}

/**
 * The cluster as one process sees it. Some commits are answered with an error: before they happened, or after it.
 */
export function transactionalPorts(broker: FakeBroker, call: Call, random: Seeded): Omit<Kafka, 'consume'> {
  const answered = (name: string, effect: () => void): Observable<never> =>
    call(name, effect).pipe(mergeMap(() => EMPTY));
  const producer = (id: string, epoch: number): TransactionalProducer => ({
    send: (messages) => call('send', () => broker.write(id, epoch, messages)),
    sendOffsets: (group, offsets) => answered('sendOffsets', () => broker.writeOffsets(id, epoch, group, offsets)),
    commit: () =>
      defer(() => {
        const fails = random.chance(0.03);
        const happens = !fails || random.chance(0.5);
        return answered('commit', () => {
          if (happens) broker.commit(id, epoch);
          if (!fails) return;
          broker.failures++;
          throw new MillraceError('MILLRACE_E_KAFKA_UNREACHABLE', 'commit');
        });
      }),
  });
  const stableUpTo = (where: TopicPartition, end: number): Observable<unknown> =>
    call('wait', () => broker.stable(where)).pipe(
      mergeMap((stable) => (stable >= end ? of(undefined) : stableUpTo(where, end))),
    );
  const reading = ({ topic, partition, from: first = 0 }: ReadOptions): Observable<readonly IncomingMessage[]> => {
    const where = { topic, partition };
    return call('read', () => broker.end(where)).pipe(
      mergeMap((end) => stableUpTo(where, end).pipe(map(() => end))),
      // Nobody may need what compaction can take away.
      map((end) => broker.compacted(where).filter(({ offset }) => offset >= first && offset < end)),
    );
  };
  return {
    produce: () => EMPTY,
    transact: (_, { transactionalId }) =>
      call('transact', () => broker.begin(transactionalId)).pipe(
        mergeMap((epoch) => concat(of(producer(transactionalId, epoch)), NEVER)),
      ),
    describe: () => call('describe', () => ({ partitions: 1, maxMessageBytes: undefined })),
    read: (_, options) => reading(options).pipe(mergeMap((messages) => from(messages))),
  };
}
