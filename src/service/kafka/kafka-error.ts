import { MillraceError, messageOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';

/** What the client's errors say of themselves. */
interface ClientError {
  readonly name: string;
  readonly message: string;
  /** The name of the broker's error code: kafkajs, @platformatic/kafka. */
  readonly type?: string;
  readonly apiId?: string;
  readonly code?: unknown;
  readonly errors?: unknown;
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

/** Codes of @platformatic/kafka. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  PLT_KFK_AUTHENTICATION: 'MILLRACE_E_KAFKA_AUTH',
  PLT_KFK_NETWORK: 'MILLRACE_E_KAFKA_UNREACHABLE',
  PLT_KFK_TIMEOUT: 'MILLRACE_E_KAFKA_UNREACHABLE',
  PLT_KFK_UNSUPPORTED_COMPRESSION: 'MILLRACE_E_KAFKA_CODEC',
};

const MAX_CAUSES = 32;

/** The error and what led to it: the client wraps, and what it wraps says more. */
function chainOf(error: unknown): ClientError[] {
  const chain: ClientError[] = [];
  const next: unknown[] = [error];
  while (next.length > 0 && chain.length < MAX_CAUSES) {
    const link = next.shift();
    if (!(link instanceof Error)) continue;
    const { cause, originalError, errors }: ClientError = link;
    chain.push(link);
    next.push(cause ?? originalError, ...(Array.isArray(errors) ? (errors as unknown[]) : []));
  }
  return chain;
}

function codeOf({ name, type, apiId, code, message }: ClientError): ErrorCode | undefined {
  if (code === 'PLT_KFK_USER' && message.startsWith('Unknown topic ')) return 'MILLRACE_E_KAFKA_TOPIC';
  return BY_TYPE[type ?? apiId ?? ''] ?? BY_NAME[name] ?? BY_CODE[String(code)];
}

/** An error of the catalogue for one of the client's; `otherwise` for those that nobody has named. */
export function kafkaError(error: unknown, otherwise: ErrorCode): MillraceError {
  const chain = chainOf(error);
  const known = chain.find((link) => link instanceof MillraceError);
  if (known instanceof MillraceError) return known;
  const codes = chain.map(codeOf);
  // Of several tries, and of what wraps an error, the message says nothing of what went wrong.
  const last = chain.at(-1);
  const isVague = (error as Partial<ClientError> | undefined)?.errors !== undefined && last !== undefined;
  const detail = isVague ? `${messageOf(error)} ${last.message}` : messageOf(error);
  return new MillraceError(codes.findLast((code) => code !== undefined) ?? otherwise, detail, { cause: error });
}

/** An error of ours for kafkajs to pass on at once: it asks every error whether it may try again, for seconds. */
export function passedOn(code: ErrorCode, detail: string): MillraceError {
  return Object.assign(new MillraceError(code, detail), { retriable: false });
}
