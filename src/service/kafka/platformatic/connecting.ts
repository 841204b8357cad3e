import type { BaseOptions } from '@platformatic/kafka';
import type { KafkaConnection, KafkaSasl } from '../../../model/kafka.js';
import { REQUEST_TIMEOUT_MS } from '../joining.js';
import { tlsOf } from '../tls.js';

type Sasl = NonNullable<BaseOptions['sasl']>;

function saslOf(sasl: KafkaSasl): Sasl {
  if (sasl.mechanism === 'oauthbearer') return { mechanism: 'OAUTHBEARER', token: sasl.token };
  const { mechanism, username, password } = sasl;
  return { mechanism: mechanism.toUpperCase() as Sasl['mechanism'], username, password };
}

/** How this client reaches a cluster. Whoever uses the port tries again as well. */
export function connecting(connection: KafkaConnection, retries: number): BaseOptions {
  const { brokers, clientId, requestTimeoutMs = REQUEST_TIMEOUT_MS, tls, sasl } = connection;
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    autocreateTopics: false,
    connectTimeout: 5000,
    requestTimeout: requestTimeoutMs,
    metadataMaxAge: 60_000,
    retries,
    retryDelay: 500,
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  };
}

/** What is left of a connection is of no use any more, and there is nobody to tell. */
export function closeQuietly(connection: { close(): Promise<void> }): void {
  connection.close().catch(() => undefined);
}
