import { MillraceError, messageOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';

/** What the client's errors say of themselves. */
interface ClientError {
  readonly name: string;
  /** The name of the broker's error code. */
  readonly type?: string;
  readonly cause?: unknown;
  readonly originalError?: unknown;
}

const BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  MESSAGE_TOO_LARGE: 'MILLRACE_E_KAFKA_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'MILLRACE_E_KAFKA_TOO_LARGE',
  UNKNOWN_TOPIC_OR_PARTITION: 'MILLRACE_E_KAFKA_TOPIC',
  INVALID_TOPIC_EXCEPTION: 'MILLRACE_E_KAFKA_TOPIC',
  TOPIC_AUTHORIZATION_FAILED: 'MILLRACE_E_KAFKA_AUTH',
  GROUP_AUTHORIZATION_FAILED: 'MILLRACE_E_KAFKA_AUTH',
  CLUSTER_AUTHORIZATION_FAILED: 'MILLRACE_E_KAFKA_AUTH',
  SASL_AUTHENTICATION_FAILED: 'MILLRACE_E_KAFKA_AUTH',
  UNSUPPORTED_SASL_MECHANISM: 'MILLRACE_E_KAFKA_AUTH',
  ILLEGAL_SASL_STATE: 'MILLRACE_E_KAFKA_AUTH',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'MILLRACE_E_KAFKA_AUTH',
  INVALID_PRODUCER_EPOCH: 'MILLRACE_E_KAFKA_FENCED',
  ILLEGAL_GENERATION: 'MILLRACE_E_KAFKA_GENERATION',
  UNKNOWN_MEMBER_ID: 'MILLRACE_E_KAFKA_GENERATION',
  REBALANCE_IN_PROGRESS: 'MILLRACE_E_KAFKA_GENERATION',
  FENCED_INSTANCE_ID: 'MILLRACE_E_KAFKA_GENERATION',
};

const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'MILLRACE_E_KAFKA_AUTH',
  KafkaJSConnectionError: 'MILLRACE_E_KAFKA_UNREACHABLE',
  KafkaJSConnectionClosedError: 'MILLRACE_E_KAFKA_UNREACHABLE',
  KafkaJSRequestTimeoutError: 'MILLRACE_E_KAFKA_UNREACHABLE',
  KafkaJSBrokerNotFound: 'MILLRACE_E_KAFKA_UNREACHABLE',
  KafkaJSNoBrokerAvailableError: 'MILLRACE_E_KAFKA_UNREACHABLE',
  KafkaJSGroupCoordinatorNotFound: 'MILLRACE_E_KAFKA_UNREACHABLE',
};

const MAX_CAUSES = 8;

/** The error and what led to it: the client wraps, and what it wraps says more. */
function chainOf(error: unknown): ClientError[] {
  const chain: ClientError[] = [];
  let next: unknown = error;
  while (next instanceof Error && chain.length < MAX_CAUSES) {
    const link: ClientError = next;
    chain.push(link);
    next = link.cause ?? link.originalError;
  }
  return chain;
}

/** An error of the catalogue for one of the client's; `otherwise` for those that nobody has named. */
export function kafkaError(error: unknown, otherwise: ErrorCode): MillraceError {
  const chain = chainOf(error);
  const known = chain.find((link) => link instanceof MillraceError);
  if (known instanceof MillraceError) return known;
  const codes = chain.map(({ type = '', name }) => BY_TYPE[type] ?? BY_NAME[name]);
  return new MillraceError(codes.findLast((code) => code !== undefined) ?? otherwise, messageOf(error), {
    cause: error,
  });
}

/** An error of ours for kafkajs to pass on at once: it asks every error whether it may try again, for seconds. */
export function passedOn(code: ErrorCode, detail: string): MillraceError {
  return Object.assign(new MillraceError(code, detail), { retriable: false });
}
