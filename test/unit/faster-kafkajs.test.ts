import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

const load = createRequire(import.meta.url);

type Request = (data: object) => { encode(): Promise<{ readonly buffer: Buffer }> };
interface Requests {
  readonly versions: readonly string[];
  readonly protocol: (asked: {
    readonly version: number;
  }) => (data: object) => { readonly request: ReturnType<Request> };
}

it('takes any bytes, also where somebody else has written with kafkajs before', async () => {
  const before = load('kafkajs/src/protocol/requests/produce/v7/request') as Request;
  await import('../../src/service/kafka/faster-kafkajs.js');
  const messages = [{ key: null, value: new Uint8Array([97, 98, 99]), headers: {} }];
  const data = {
    acks: -1,
    timeout: 1,
    compression: 0,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  };
  const textOf = async (request: ReturnType<Request>): Promise<string> =>
    (await request.encode()).buffer.toString('latin1');
  // Such as kafkajs has it.
  expect(await textOf(before(data))).toContain('97,98,99');
  const { versions, protocol } = load('kafkajs/src/protocol/requests/produce') as Requests;
  expect(Math.max(...versions.map(Number))).toBe(7);
  for (const version of [3, 4, 5, 6, 7]) {
    const text = await textOf(protocol({ version })(data).request);
    expect([version, text.includes('abc'), text.includes('97,98,99')]).toEqual([version, true, false]);
  }
});
