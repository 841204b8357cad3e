import type { ConnectionOptions } from 'node:tls';
import type { KafkaTls } from '../../model/kafka.js';

/** What both clients hand to Node. */
export function tlsOf({ ca, cert, key, verify }: KafkaTls): ConnectionOptions {
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
