import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificatesIn } from '../servers/certificates.js';
import { startKafka } from '../servers/kafka.js';
import type { Kafka } from '../servers/kafka.js';
import { describeOnKafka } from '../servers/on-servers.js';
import { placeForEachTest } from './harness.js';
import { Topics, USUAL_CLIENTS } from './kafka-topics.js';

const place = placeForEachTest();

describeOnKafka().each(USUAL_CLIENTS)('a broker with TLS and an authority of its own, by %s', (client) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  let kafka: Kafka;
  let ca: string;
  beforeAll(async () => {
    const certificates = certificatesIn(folder);
    ({ ca } = certificates);
    kafka = await startKafka({ external: 'SSL', settings: certificates.settings });
  }, 300_000);
  afterAll(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const config = (tls: string, from: string, to: string): string => {
    const all = `client: ${client}, brokers: ["${kafka.external[0]!}"], tls: ${tls}`;
    return `startDeadlineMs: 4000
source: { kafka: { ${all}, topics: [${from}], groupId: g-${from} } }
routes:
  - to: { kafka: { ${all}, topic: ${to}, format: raw } }
`;
  };

  it('is trusted with its authority, or unseen when it is told so; else nothing is sent, and it is said why', async () => {
    const topics = new Topics(kafka.brokers);
    const [from, to] = [await topics.create(1), await topics.create(1)];
    await topics.send(from, [{ value: 'a' }, { value: 'b' }]);
    place().write('ca.pem', ca);
    place().write('pipeline.yaml', config('true', from, to));
    const unknown = await place().once();
    expect([unknown.code, unknown.stderr], unknown.stderr).toEqual([2, expect.stringMatching(/certificate/)]);
    place().write('pipeline.yaml', config('false', from, to));
    expect((await place().once()).code).toBe(2);
    expect(await topics.size(to)).toBe(0);
    place().write('pipeline.yaml', config('{ ca: "${file:ca.pem}" }', from, to));
    const trusted = await place().once();
    expect(trusted.summary, trusted.stderr).toMatchObject({ read: 2, delivered: 2 });
    await topics.send(from, [{ value: 'c' }]);
    place().write('pipeline.yaml', config('{ verify: false }', from, to));
    expect((await place().once()).summary).toMatchObject({ read: 1, delivered: 1 });
    expect((await topics.readAll(to)).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });
});
