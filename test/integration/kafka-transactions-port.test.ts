import { setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, Subject, switchMap, takeUntil, toArray } from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import type {
  GroupOffset,
  KafkaConnection,
  ReadOptions,
  TransactionalMessage,
  TransactionalProducer,
} from '../../src/model/kafka.js';
import { kafkaClient } from '../../src/service/kafka/kafka-client.js';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { Topics } from './kafka-topics.js';

describeOnKafka()('transactions of the Kafka port', () => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);
  const connection = (): KafkaConnection => ({ brokers: kafka().brokers, clientId: 'test' });
  const over = new Subject<void>();
  afterEach(() => over.next());

  const transact = (transactionalId: string): Promise<TransactionalProducer> =>
    new Promise((resolve, reject) => {
      const options = { transactionalId, compression: 'none' as const };
      // Open until the test is over.
      kafkaClient.transact(connection(), options).pipe(takeUntil(over)).subscribe({ next: resolve, error: reject });
    });
  const message = (topic: string, value: string | null, partition = 0): TransactionalMessage => ({
    topic,
    partition,
    key: value,
    value,
    headers: {},
  });
  const send = (producer: TransactionalProducer, ...messages: TransactionalMessage[]) =>
    firstValueFrom(producer.send(messages));
  const commit = (producer: TransactionalProducer): Promise<unknown> =>
    lastValueFrom(producer.commit(), { defaultValue: undefined });
  const read = async (options: Omit<ReadOptions, 'partition'>): Promise<string[]> => {
    const all = await lastValueFrom(kafkaClient.read(connection(), { partition: 0, ...options }).pipe(toArray()));
    return all.map(({ value }) => (value === null ? 'null' : Buffer.from(value).toString()));
  };
  const sendOffsets = (producer: TransactionalProducer, group: string, offset: GroupOffset): Promise<unknown> =>
    lastValueFrom(producer.sendOffsets(group, [offset]), { defaultValue: undefined });

  it('messages of several topics and offsets with a text appear together, when they are committed', async () => {
    const [one, two] = [await topics().create(2), await topics().create(1)];
    const producer = await transact(`id-${one}`);
    const offset = { topic: one, partition: 1, offset: 7, metadata: 'seven' };
    // Offsets come first, directly after a transaction that is not quite finished: the broker lets them wait.
    for (const turn of [1, 2, 3]) {
      await sendOffsets(producer, `g-${one}`, { ...offset, offset: turn });
      const written = await send(producer, message(one, `${turn}`), message(two, null), message(one, 'p', 1));
      expect(written).toHaveLength(3);
      expect(await topics().committed(`g-${one}`, one)).not.toContain(turn);
      await commit(producer);
    }
    expect(await read({ topic: one })).toEqual(['1', '2', '3']);
    expect(await read({ topic: two })).toEqual(['null', 'null', 'null']);
    const [found] = await topics().admin((admin) => admin.fetchOffsets({ groupId: `g-${one}`, topics: [one] }));
    expect(found?.partitions).toContainEqual({ partition: 1, offset: '3', metadata: 'seven' });
    const [first] = await send(producer, message(two, 'state'));
    await commit(producer);
    expect(await read({ topic: two, from: first!.offset })).toEqual(['state']);
  });

  it('who takes the id over aborts what is open, and the other one is told', async () => {
    const topic = await topics().create(1);
    const zombie = await transact(`id-${topic}`);
    await send(zombie, message(topic, 'lost'));
    const successor = await transact(`id-${topic}`);
    expect(await read({ topic })).toEqual([]);
    await expect(commit(zombie)).rejects.toMatchObject({ code: 'MILLRACE_E_KAFKA_FENCED' });
    await send(successor, message(topic, 'kept'));
    await commit(successor);
    expect(await read({ topic })).toEqual(['kept']);
  });

  it('reading waits for a transaction that is open, and never shows what comes to be aborted', async () => {
    const topic = await topics().create(1);
    const [one, two, three] = [
      await transact(`1-${topic}`),
      await transact(`2-${topic}`),
      await transact(`3-${topic}`),
    ];
    await send(one, message(topic, 'aborted 1'));
    await send(two, message(topic, 'aborted 2'));
    await send(three, message(topic, 'kept'));
    // The fetch begins in the middle of both: kafkajs' own filter lets one through.
    await send(two, message(topic, 'aborted 3'), message(topic, 'aborted 4'));
    await send(one, message(topic, 'aborted 5'), message(topic, 'aborted 6'));
    await commit(three);
    const reading = read({ topic, from: 2 });
    expect(await Promise.race([reading, wait(500, 'waits')])).toBe('waits');
    await transact(`1-${topic}`);
    await transact(`2-${topic}`);
    expect(await reading).toEqual(['kept']);
    expect(await read({ topic, from: 3 })).toEqual([]);
    const values = (await topics().readAll(topic)).map(({ value }) => value);
    expect(values).toEqual(['kept']);
  });

  it('makes a topic that is missing, with its settings, and tells how large a request may be', async () => {
    const topic = `made-${Date.now()}`;
    const settings = { 'cleanup.policy': 'compact', 'max.message.bytes': '123456' };
    const describe = (createTopic?: { partitions: number; settings: Record<string, string> }) =>
      firstValueFrom(kafkaClient.describe(connection(), { topic, createTopic }));
    await expect(describe()).rejects.toMatchObject({ code: 'MILLRACE_E_KAFKA_TOPIC' });
    const made = { partitions: 3, maxMessageBytes: 123456 };
    expect(await describe({ partitions: 3, settings })).toEqual(made);
    expect(await describe()).toEqual(made);
  });

  it('a member claims its partitions before it asks what is committed', async () => {
    const topic = await topics().create(2);
    const claimed: unknown[] = [];
    const events: string[] = [];
    const claims = new Subject<never>();
    const options = {
      groupId: `g-${topic}`,
      topics: [topic],
      sessionTimeoutMs: 3000,
      claim: (partitions: readonly unknown[]) => {
        claimed.push(...partitions);
        return claims;
      },
    };
    kafkaClient
      .consume(connection(), options)
      .pipe(
        switchMap((consumer) => consumer.events),
        takeUntil(over),
      )
      .subscribe(({ kind }) => events.push(kind));
    await expect.poll(() => claimed, { timeout: 10_000 }).toHaveLength(2);
    expect(claimed).toContainEqual({ topic, partition: 1 });
    await wait(300);
    expect(events).not.toContain('assigned');
    claims.complete();
    await expect.poll(() => events, { timeout: 10_000 }).toContain('assigned');
  });

  it('a member that is given up while it joins does not stay in the group', async () => {
    const topic = await topics().create(2);
    const options = { groupId: `g-${topic}`, topics: [topic], sessionTimeoutMs: 3000 };
    for (let waitMs = 0; waitMs < 100; waitMs += 10) {
      const given = kafkaClient
        .consume(connection(), options)
        .pipe(switchMap((consumer) => consumer.events))
        .subscribe();
      await wait(waitMs);
      given.unsubscribe();
    }
    const members = async (): Promise<number> => {
      const { groups } = await topics().admin((admin) => admin.describeGroups([options.groupId]));
      return groups[0]?.members.length ?? 0;
    };
    // One that is not heard of any more is out after 3 s.
    await expect.poll(members, { timeout: 10_000, interval: 500 }).toBe(0);
    await wait(1000);
    expect(await members()).toBe(0);
  });
});
