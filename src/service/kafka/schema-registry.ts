import type { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry';
import { defer, timeout } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Schemas } from '../../model/schemas.js';
import type { RegistryOptions } from '../../sources/kafka/options.js';

const ANSWER_MS = 10_000;
const HEAD_BYTES = 5;
/** What the client says when it was not a registry that did not find it, but whatever listens at the address. */
const NOT_A_REGISTRY = /Error, status 404|HTTP 404 Not Found/;
const CONFLICT = 409;
const INVALID = 422;

function registryError(error: unknown): MillraceError {
  const { status } = error as { readonly status?: number };
  const message = messageOf(error);
  const isUnknown = status === 404 && !NOT_A_REGISTRY.test(message);
  const isFinal = isUnknown || status === CONFLICT || status === INVALID;
  return new MillraceError(isFinal ? 'MILLRACE_E_KAFKA_SCHEMA' : 'MILLRACE_E_KAFKA_REGISTRY', message, {
    cause: error,
  });
}

const inTime = <T>(): MonoTypeOperatorFunction<T> =>
  timeout({
    first: ANSWER_MS,
    with: () => {
      throw new MillraceError('MILLRACE_E_KAFKA_REGISTRY', `for ${ANSWER_MS} ms`);
    },
  });

async function idOf(client: Client, subject: string, schema: object): Promise<number> {
  const avro = schema as Parameters<Client['getRegistryIdBySchema']>[1];
  try {
    return await client.getRegistryIdBySchema(subject, avro);
  } catch {
    // Whoever may not register is told by the registry.
    return (await client.register(avro, { subject })).id;
  }
}

/** A schema registry by Confluent's REST interface. The client is loaded when the first schema is asked for. */
export function schemaRegistry({ url, username, password }: RegistryOptions): Schemas {
  let client: Promise<Client> | undefined;
  const connected = async (): Promise<Client> => {
    const { SchemaRegistry } = await import('@kafkajs/confluent-schema-registry');
    const auth = username === undefined ? {} : { auth: { username, password: password ?? '' } };
    // Whoever uses the port tries again.
    return new SchemaRegistry({ host: url, clientId: 'millrace', retry: { retries: 0 }, ...auth });
  };
  const ask = async <T>(question: (open: Client) => Promise<T>): Promise<T> => {
    try {
      return await question(await (client ??= connected()));
    } catch (error) {
      throw registryError(error);
    }
  };
  return {
    reader: (id) =>
      defer(async () => {
        const schema = await ask((open) => open.getSchema(id));
        return (bytes: Uint8Array): unknown =>
          schema.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }).pipe(inTime()),
    writer: (subject, avro) =>
      defer(async () => {
        const id = await ask((open) => idOf(open, subject, avro));
        const schema = await ask((open) => open.getSchema(id));
        return (value: unknown): Uint8Array => {
          const head = Buffer.alloc(HEAD_BYTES);
          head.writeInt32BE(id, 1);
          return Buffer.concat([head, schema.toBuffer(value as object)]);
        };
      }).pipe(inTime()),
  };
}
