import { concat, EMPTY, firstValueFrom, from, lastValueFrom, NEVER, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import type { ErrorCode } from '../../src/model/errors.js';
import type { IncomingMessage, Kafka, TransactionalProducer } from '../../src/model/kafka.js';
import type { Transactions } from '../../src/model/transactions.js';
import { CheckpointRecords } from '../../src/stores/kafka/checkpoint-records.js';
import { laneTransactions } from '../../src/stores/kafka/lane-transactions.js';
import { pipelineTransactions } from '../../src/stores/kafka/pipeline-transactions.js';

const EMPTY_CHECKPOINT = { lanes: new Map(), sinks: new Map(), stages: new Map() };
const fails = (code: ErrorCode): Observable<never> => throwError(() => new MillraceError(code, 'x'));
const refusing = (code: ErrorCode): TransactionalProducer => ({
  send: () => fails(code),
  sendOffsets: () => fails(code),
  commit: () => fails(code),
});
const codeOf = async (work: Observable<unknown>): Promise<unknown> => {
  try {
    await lastValueFrom(work, { defaultValue: undefined });
    return undefined;
  } catch (error) {
    return error instanceof MillraceError ? error.code : error;
  }
};

const target = {
  connection: { brokers: ['b:1'], clientId: 'c' },
  topic: 't',
  compression: 'none' as const,
  maxMessageBytes: 1000,
};
const nowhere = { load: () => of(undefined), save: () => EMPTY };

/** A cluster whose producer is this one, or is refused, and whose state topic was written by somebody. */
function kafkaOf(producer: Observable<TransactionalProducer>, owner: string): Kafka {
  const state = new CheckpointRecords('p')
    .changes(EMPTY_CHECKPOINT, owner)
    .map(({ message: { key, value, headers } }, offset): IncomingMessage => ({
      offset,
      timestampMs: 0,
      key: Buffer.from(key ?? ''),
      value: Buffer.from(String(value)),
      headers,
    }));
  return {
    produce: () => EMPTY,
    consume: () => EMPTY,
    transact: () => concat(producer, NEVER),
    describe: () => of({ partitions: 1, maxMessageBytes: undefined }),
    read: () => from(state),
  };
}

const opened = (resource: ReturnType<typeof laneTransactions>): Promise<Transactions> =>
  firstValueFrom(resource.open({ pipeline: 'p', report: () => {} }));

describe('a transaction of a pipeline that fails', () => {
  const failing = async (code: ErrorCode, owner: string): Promise<unknown> => {
    const config = { ...target, stateTopic: 's', before: nowhere, mint: () => 'me' };
    const transactions = await opened(pipelineTransactions(config, kafkaOf(of(refusing(code)), owner)));
    return codeOf(transactions.store.save(EMPTY_CHECKPOINT));
  };

  it('is final for this life of the pipeline, also when the fault would pass', async () => {
    expect(await failing('MILLRACE_E_KAFKA_UNREACHABLE', 'me')).toBe('MILLRACE_E_KAFKA_TRANSACTION');
    expect(await failing('MILLRACE_E_KAFKA_TOO_LARGE', 'me')).toBe('MILLRACE_E_KAFKA_TRANSACTION');
  });

  it('because it took too long is no successor; one that has written is', async () => {
    expect(await failing('MILLRACE_E_KAFKA_FENCED', 'me')).toBe('MILLRACE_E_KAFKA_TRANSACTION');
    expect(await failing('MILLRACE_E_KAFKA_FENCED', 'another')).toBe('MILLRACE_E_KAFKA_FENCED');
  });
});

describe('a transaction of a lane that fails', () => {
  const lane = { lane: 'in-0', topic: 'in', partition: 0 };
  const config = { ...target, groupId: 'g', store: nowhere };

  it('ends the pipeline, to begin again as a member of the group', async () => {
    const kafka = kafkaOf(of(refusing('MILLRACE_E_KAFKA_FENCED')), 'me');
    const transactions = await opened(laneTransactions(config, kafka));
    expect(await codeOf(transactions.claim?.([lane]) ?? EMPTY)).toBeUndefined();
    transactions.settled('in-0', 5);
    expect(await codeOf(transactions.store.save(EMPTY_CHECKPOINT))).toBe('MILLRACE_E_KAFKA_TRANSACTION');
  });

  it('matters to nobody when the lane was claimed anew meanwhile', async () => {
    const transactions = await opened(laneTransactions(config, kafkaOf(of(refusing('MILLRACE_E_KAFKA_FENCED')), 'me')));
    expect(await codeOf(transactions.claim?.([lane]) ?? EMPTY)).toBeUndefined();
    transactions.settled('in-0', 5);
    const save = transactions.store.save(EMPTY_CHECKPOINT);
    expect(await codeOf(transactions.claim?.([lane]) ?? EMPTY)).toBeUndefined();
    expect(await codeOf(save)).toBeUndefined();
  });

  it('when it is claimed: tried again if that may help, else the pipeline begins again', async () => {
    const claiming = async (code: ErrorCode): Promise<unknown> => {
      const transactions = await opened(laneTransactions(config, kafkaOf(fails(code), 'me')));
      return codeOf(transactions.claim?.([lane]) ?? EMPTY);
    };
    expect(await claiming('MILLRACE_E_KAFKA_UNREACHABLE')).toBe('MILLRACE_E_KAFKA_UNREACHABLE');
    expect(await claiming('MILLRACE_E_KAFKA_FENCED')).toBe('MILLRACE_E_KAFKA_TRANSACTION');
  });
});
