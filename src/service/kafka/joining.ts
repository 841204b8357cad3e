import type { KafkaConnection } from '../../model/kafka.js';

/** Members have at least this long to join when the group is divided anew. */
const MIN_REBALANCE_MS = 10_000;
const NETWORK_DELAY_MS = 5000;
export const REQUEST_TIMEOUT_MS = 30_000;

/** How long the others wait for a member that has not joined yet. */
export function rebalanceMs(sessionTimeoutMs: number): number {
  return Math.max(sessionTimeoutMs, MIN_REBALANCE_MS);
}

/**
 * The connection of a member: who joins is answered when all have joined, or are given up. Whoever hung up before would
 * leave a dead member behind each time, which the next one has to wait for.
 */
export function ofMember(connection: KafkaConnection, sessionTimeoutMs: number): KafkaConnection {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = connection;
  return {
    ...connection,
    requestTimeoutMs: Math.max(requestTimeoutMs, rebalanceMs(sessionTimeoutMs) + NETWORK_DELAY_MS),
  };
}
