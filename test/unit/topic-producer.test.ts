import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import type { Client } from '../../src/service/kafka/kafkajs.js';
import { TopicProducer } from '../../src/service/kafka/topic-producer.js';

/** A client whose producers reach the brokers and are refused there: the connection is open then. */
function refusing(): { readonly client: Client; readonly open: () => number } {
  let open = 0;
  const producer = {
    connect: () => {
      open++;
      return Promise.reject(new Error('no right to write'));
    },
    disconnect: () => {
      open--;
      return Promise.resolve();
    },
  };
  return { client: { producer: () => producer } as unknown as Client, open: () => open };
}

const options = { topic: 't', compression: 'none' } as const;
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

it('a producer that is refused leaves no connection behind, however often it is tried', async () => {
  const { client, open } = refusing();
  await expect(new TopicProducer(client, options).connect()).rejects.toThrow('no right to write');
  const producer = new TopicProducer(client, options);
  for (let tries = 0; tries < 3; tries++) {
    const sent = firstValueFrom(producer.send([]), { defaultValue: 'sent' });
    await expect(sent).rejects.toMatchObject({ code: 'MILLRACE_E_KAFKA_PRODUCE' });
  }
  await settled();
  expect(open()).toBe(0);
});
