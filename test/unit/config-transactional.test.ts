import { describe, expect, it } from 'vitest';
import { formatFault, loadConfig } from '../../src/config/load.js';
import type { ConfigError } from '../../src/config/load.js';

const TAIL = 'source: { tail: { paths: ["a.log"] } }';
const KAFKA = 'source: { kafka: { brokers: ["a:1", "b:1"], topics: [t], groupId: g } }';
const sink = (brokers: string, more = 'transactional: true'): string =>
  `kafka: { brokers: [${brokers}], topic: out, ${more} }`;

function faultsOf(source: string, ...rest: string[]): string[] {
  try {
    loadConfig([source, ...rest].join('\n'), 'p.yaml', { env: {}, readSecret: () => '', cwd: '/' });
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(formatFault);
  }
}

describe('transactional', () => {
  it('is taken from files, and from a topic of the same cluster', () => {
    const routes = ['routes:', '  - to:', `      ${sink('"b:1", "c:1"')}`];
    expect(faultsOf(TAIL, ...routes)).toEqual([]);
    expect(faultsOf(KAFKA, ...routes)).toEqual([]);
    expect(
      faultsOf(TAIL, 'routes:', '  - to:', `      - ${sink('"a:1"')}`, `      - ${sink('"a:1"', 'key: x')}`),
    ).toEqual([]);
  });

  it('is one sink of a pipeline', () => {
    const routes = ['routes:', '  - to:', `      - ${sink('"a:1"')}`, `      - ${sink('"a:1"')}`];
    expect(faultsOf(TAIL, ...routes, '  - to:', `      ${sink('"a:1"')}`)).toEqual([
      'p.yaml:5:63: routes[0].to[1].kafka.transactional: expected one transactional sink in a pipeline: another one would have transactions of its own',
      'p.yaml:7:61: routes[1].to.kafka.transactional: expected one transactional sink in a pipeline: another one would have transactions of its own',
    ]);
  });

  it('needs a source that can be read again, and one cluster', () => {
    const routes = ['routes:', '  - to:', `      ${sink('"c:1"')}`];
    expect(faultsOf('source: { stdin: {} }', ...routes)).toEqual([
      'p.yaml:4:61: routes[0].to.kafka.transactional: expected false: what stdin has read cannot be read again after a transaction that failed',
    ]);
    expect(faultsOf(KAFKA, ...routes)).toEqual([
      'p.yaml:4:61: routes[0].to.kafka.transactional: expected false: a transaction is of one cluster, but this sink and the source have no broker in common',
    ]);
  });

  it('is not for dead letters', () => {
    const routes = ['routes:', '  - to: { console: {} }', 'deadLetter:', `  ${sink('"a:1"')}`];
    expect(faultsOf(TAIL, ...routes)).toEqual([
      'p.yaml:5:57: deadLetter.kafka.transactional: expected false: dead letters are delivered before the transaction that waits for them',
    ]);
  });

  it('is not for a mirror', () => {
    const routes = ['routes:', '  - to: { console: {} }', '    mirror:', '      to:', `        ${sink('"a:1"')}`];
    expect(faultsOf(TAIL, ...routes)).toEqual([
      'p.yaml:6:63: routes[0].mirror.to.kafka.transactional: expected false: no transaction waits for a mirror',
    ]);
  });

  it('needs kafkajs, of the source as well', () => {
    const all = 'transactional: true, client: platformatic';
    expect(faultsOf(TAIL, 'routes:', '  - to:', `      ${sink('"a:1"', all)}`)).toEqual([
      'p.yaml:4:61: routes[0].to.kafka.transactional: expected false: transactions need client: kafkajs',
    ]);
    const source = KAFKA.replace('topics', 'client: platformatic, topics');
    expect(faultsOf(source, 'routes:', '  - to:', `      ${sink('"a:1"')}`)).toEqual([
      'p.yaml:4:61: routes[0].to.kafka.transactional: expected false: transactions need client: kafkajs, of the source as well',
    ]);
    expect(faultsOf(source, 'routes:', '  - to:', `      ${sink('"a:1"', 'client: platformatic')}`)).toEqual([]);
  });

  it('a state topic is one that is used, and for nothing else', () => {
    const faults = (source: string, more: string): string[] =>
      faultsOf(source, 'routes:', '  - to:', `      ${sink('"a:1"', more)}`).map((fault) =>
        fault.replace(/^.*?: /, ''),
      );
    expect(faults(TAIL, 'transactional: true, stateTopic: s')).toEqual([]);
    expect(faults(TAIL, 'stateTopic: s')).toEqual([
      'routes[0].to.kafka.stateTopic: expected transactional: true beside it; without, the state is in the checkpoint file',
    ]);
    expect(faults(TAIL, 'transactional: true, stateTopic: out')).toEqual([
      'routes[0].to.kafka.stateTopic: expected a topic of its own: events and the state of a pipeline do not go together',
    ]);
    expect(faults(KAFKA, 'transactional: true, stateTopic: s')).toEqual([
      'routes[0].to.kafka.stateTopic: expected no stateTopic: from Kafka the offsets of the consumer group are the positions',
    ]);
  });
});
