import { z } from 'zod';
import type { KafkaConnection, KafkaSasl, KafkaTls } from '../../model/kafka.js';
import type { Scalar } from '../../operators/options.js';
import { extraFields, MAX_TIMER_MS } from '../options.js';

type KafkaClient = NonNullable<KafkaConnection['client']>;

/** How to reach a cluster, as it is configured. */
export interface KafkaConnectionOptions {
  readonly client: KafkaClient;
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** A connection on which nothing is answered for so long is made anew. */
  readonly requestTimeoutMs: number;
  /** True: TLS with the system's certificate authorities. */
  readonly tls: boolean | KafkaTls;
  readonly sasl?: KafkaSasl;
}

/** How a message becomes a record. */
type KafkaDecode = 'line' | 'json' | 'avro';

/** Where the schemas are. */
export interface RegistryOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** Which topics are read, and how. */
export interface KafkaSourceOptions extends KafkaConnectionOptions {
  /** Names, or regular expressions between slashes. */
  readonly topics: readonly string[];
  readonly groupId: string;
  /** Where a partition begins that the group has committed nothing of. */
  readonly from: 'beginning' | 'end';
  readonly decode: KafkaDecode;
  /** Needed for Avro. */
  readonly registry?: RegistryOptions;
  /** Whether events get kafka.key, kafka.timestamp and kafka.headers.*. */
  readonly metadata: boolean;
  readonly fields: Readonly<Record<string, Scalar>>;
  /** A member that was not heard of for this long is out of the group. */
  readonly sessionTimeoutMs: number;
  /** Without any answer to a fetch for this long, the consumer is made anew. */
  readonly silenceMs: number;
}

const pem = z
  .string()
  .regex(/^\s*-----BEGIN /, 'expected PEM text, such as ${file:ca.pem}')
  .exactOptional();

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: pem.describe('Certificate authorities, PEM.'),
    cert: pem.describe('Certificate of this client, PEM.'),
    key: pem.describe('Key of this client, PEM.'),
    verify: z.boolean().default(true).describe('False accepts any certificate.'),
  }),
]);

const sasl = z.discriminatedUnion('mechanism', [
  z.strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
    username: z.string(),
    password: z.string(),
  }),
  z.strictObject({ mechanism: z.literal('oauthbearer'), token: z.string() }),
]);

/** What source and sink have in common. */
export const connectionShape: {
  readonly client: z.ZodType<KafkaClient>;
  readonly brokers: z.ZodType<readonly string[]>;
  readonly clientId: z.ZodType<string>;
  readonly requestTimeoutMs: z.ZodType<number>;
  readonly tls: z.ZodType<boolean | KafkaTls>;
  readonly sasl: z.ZodExactOptional<z.ZodType<KafkaSasl>>;
} = {
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d+$|^\[[^\]]+\]:\d+$/, 'expected host:port'))
    .min(1)
    .describe('host:port of some brokers; the others are found through them.'),
  clientId: z.string().min(1).default('millrace').describe('What the brokers call this program.'),
  client: z
    .enum(['kafkajs', 'platformatic'])
    .default('kafkajs')
    .describe('The package that speaks to Kafka; @platformatic/kafka is installed on its own, and needs Node 22.22.'),
  requestTimeoutMs: z
    .int()
    .min(1000)
    .max(MAX_TIMER_MS)
    .default(30_000)
    .describe(
      'Milliseconds without any answer after which a connection is made anew; a source waits 5 s more than a group may take to be divided anew, if that is longer.',
    ),
  tls: tls.default(false).describe('TLS; true takes the certificate authorities of the system.'),
  sasl: (sasl as z.ZodType<KafkaSasl>).exactOptional().describe('Who we are.'),
};

/** The schema registry, for those that read or write Avro. */
export const registryOption: z.ZodExactOptional<z.ZodType<RegistryOptions>> = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).describe('http or https.'),
    username: z.string().exactOptional(),
    password: z.string().exactOptional(),
  })
  .exactOptional()
  .describe('The schema registry (the REST interface of Confluent’s), for Avro.');

function isTopicOrPattern(name: string): boolean {
  if (!name.startsWith('/')) return /^[A-Za-z0-9._-]{1,249}$/.test(name);
  try {
    return name.length > 2 && name.endsWith('/') && new RegExp(name.slice(1, -1)).source !== '';
  } catch {
    return false;
  }
}

export const kafkaSourceOptions: z.ZodType<KafkaSourceOptions> = z
  .strictObject({
    ...connectionShape,
    topics: z
      .array(z.string().refine(isTopicOrPattern, 'expected a topic, or a regular expression between slashes'))
      .min(1)
      .describe('Names, or regular expressions between slashes.'),
    groupId: z.string().min(1).describe('The consumer group; its members share the partitions.'),
    from: z
      .enum(['beginning', 'end'])
      .default('beginning')
      .describe('Where a partition begins that the group has committed nothing of.'),
    decode: z
      .enum(['line', 'json', 'avro'])
      .default('line')
      .describe('line: the value is the message; json, avro: its fields are the event’s.'),
    registry: registryOption,
    metadata: z.boolean().default(false).describe('Whether events get kafka.key, kafka.timestamp and kafka.headers.*.'),
    fields: extraFields,
    sessionTimeoutMs: z
      .int()
      .min(1000)
      .max(MAX_TIMER_MS)
      .default(30_000)
      .describe('Milliseconds after which a member that is not heard of is out of the group.'),
    silenceMs: z
      .int()
      .min(1000)
      .max(MAX_TIMER_MS)
      .default(60_000)
      .describe('Milliseconds without any answer to a fetch after which the consumer is made anew.'),
  })
  .refine(({ decode, registry }) => decode !== 'avro' || registry !== undefined, {
    error: 'avro needs the address of a schema registry',
    path: ['registry'],
  })
  .describe('Reads topics as a member of a consumer group.');

/** The connection that the options describe. */
export function connectionOf(options: KafkaConnectionOptions): KafkaConnection {
  const { client, brokers, clientId, requestTimeoutMs, tls: given, sasl: who } = options;
  const secure = given === true ? { verify: true } : given === false ? undefined : given;
  return { client, brokers, clientId, requestTimeoutMs, tls: secure, sasl: who };
}
