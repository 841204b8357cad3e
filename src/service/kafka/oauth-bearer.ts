import { passedOn } from './kafka-error.js';

interface Exchange {
  readonly request: { encode(): Buffer };
  readonly response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): string };
}

interface Dialogue {
  readonly saslAuthenticate: (exchange: Exchange) => Promise<unknown>;
}

/** What precedes the bytes of a message on the wire. */
const LENGTH_BYTES = 4;

/**
 * SASL OAUTHBEARER, as kafkajs lets mechanisms be added. Its own does not look at the broker's answer: a token that is
 * refused would look as if the broker had hung up.
 * Source: RFC 7628, section 3.1 for the message and 3.2.2 for the refusal, which is an answer that is not empty.
 */
export function oauthBearer(token: string): {
  mechanism: string;
  authenticationProvider: (dialogue: Dialogue) => { authenticate(): Promise<void> };
} {
  const authenticate = async ({ saslAuthenticate }: Dialogue): Promise<void> => {
    const refusal = await saslAuthenticate({
      request: { encode: () => withLength(`n,,\x01auth=Bearer ${token}\x01\x01`) },
      response: {
        decode: (raw) => Promise.resolve(raw.subarray(LENGTH_BYTES)),
        parse: (raw) => raw.toString(),
      },
    });
    if (typeof refusal === 'string' && refusal !== '') {
      throw passedOn('MILLRACE_E_KAFKA_AUTH', `OAUTHBEARER: ${refusal}`);
    }
  };
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: (dialogue) => ({ authenticate: () => authenticate(dialogue) }),
  };
}

function withLength(text: string): Buffer {
  const message = Buffer.alloc(LENGTH_BYTES + Buffer.byteLength(text));
  message.writeInt32BE(message.length - LENGTH_BYTES);
  message.write(text, LENGTH_BYTES);
  return message;
}
