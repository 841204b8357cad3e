import { MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { kafkaError } from '../../src/service/kafka/kafka-error.js';

const named = (error: unknown): string => kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME').message;
const coded = (error: unknown): string => kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME').code;

it('finds what the second client has wrapped: in causes and lists, and says it', () => {
  const certificate = new Error('self-signed certificate');
  const once = new MultipleErrors('Cannot connect to any broker.', [
    new NetworkError('Connection to a:1 failed.', { cause: certificate }),
  ]);
  const tries = new MultipleErrors('metadata failed 3 times.', [once, once]);
  expect(coded(tries)).toBe('MILLRACE_E_KAFKA_UNREACHABLE');
  expect(named(tries)).toContain('metadata failed 3 times. self-signed certificate');
  expect(coded(new MultipleErrors('commit', [new ProtocolError('REBALANCE_IN_PROGRESS')]))).toBe(
    'MILLRACE_E_KAFKA_GENERATION',
  );
  expect(coded(new MultipleErrors('send', [new ProtocolError('MESSAGE_TOO_LARGE')]))).toBe(
    'MILLRACE_E_KAFKA_TOO_LARGE',
  );
});

it('a topic that is not there has no code of its own in the second client', () => {
  expect(coded(new UserError('Unknown topic t.'))).toBe('MILLRACE_E_KAFKA_TOPIC');
  expect(coded(new UserError('Cannot find broker with node id 1'))).toBe('MILLRACE_E_KAFKA_CONSUME');
});

it('an error of ours stays what it is, wherever it was wrapped; one that nobody has named gets the name that fits there', () => {
  const ours = new MillraceError('MILLRACE_E_KAFKA_CODEC');
  expect(kafkaError(new MultipleErrors('fetch', [new Error('x', { cause: ours })]), 'MILLRACE_E_KAFKA_CONSUME')).toBe(
    ours,
  );
  expect(coded('odd')).toBe('MILLRACE_E_KAFKA_CONSUME');
});
