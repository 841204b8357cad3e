import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { placeForEachTest, until, within } from './harness.js';
import { Topics } from './kafka-topics.js';

const place = placeForEachTest();

describeOnKafka()('a broker that asks who we are', () => {
  const kafka = kafkaForThisBlock({
    external: 'SASL_PLAINTEXT',
    settings: {
      'listener.name.external.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.external.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_me="right";',
    },
  });

  const config = (from: string, to: string): string => {
    const sasl = `brokers: ["${kafka().external[0]!}"], sasl: { mechanism: plain, username: me, password: "\${PASSWORD}" }`;
    return `startDeadlineMs: 5000
source: { kafka: { ${sasl}, topics: [${from}], groupId: g-${from} } }
routes:
  - to: { kafka: { ${sasl}, topic: ${to}, format: raw } }
`;
  };

  it('lets us in with the right password; with a wrong one nothing is lost, and it is said without the password', async () => {
    const topics = new Topics(kafka().brokers);
    const [from, to] = [await topics.create(1), await topics.create(1)];
    await topics.send(from, [{ value: 'a' }, { value: 'b' }]);
    place().write('pipeline.yaml', config(from, to));
    const wrong = place().start(['run', 'pipeline.yaml'], { env: { PASSWORD: 'wrong-secret' } });
    await until(
      () => `told: ${wrong.stderr()}`,
      () => wrong.stderr().includes('MILLRACE_E_KAFKA_AUTH'),
    );
    wrong.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', wrong.ended);
    expect([code, stderr.includes('wrong-secret')], stderr).toEqual([0, false]);
    const right = await place().once('pipeline.yaml', { env: { PASSWORD: 'right' } });
    expect(right.summary, right.stderr).toMatchObject({ read: 2, delivered: 2 });
    expect((await topics.readAll(to)).map(({ value }) => value)).toEqual(['a', 'b']);
  });
});
