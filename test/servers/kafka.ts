import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './free-ports.js';
import { classesOf, jarsOf } from './jars.js';
import { JavaProcess } from './java-process.js';
import { serverFolder } from './server-folder.js';

const MAIN = 'KafkaNode';
const CLUSTER_ID = 'bWlsbHJhY2UtdGVzdHMtMQ';
const HOST = '127.0.0.1';

export interface KafkaOptions {
  /** 1, or 3 to lose some. Default 1. */
  readonly nodes?: 1 | 3;
  /** A second listener, with its own protocol (SASL_PLAINTEXT, SSL …), named EXTERNAL; `settings` has its details. */
  readonly external?: string;
  /** What the second listener of each node says is its address: that of something in between. Default its own. */
  readonly advertised?: readonly string[];
  /** Further broker settings, server.properties keys. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Users that the cluster is made with: `SCRAM-SHA-256=[name=me,password=secret]`. */
  readonly scram?: readonly string[];
}

/** A Kafka cluster of the tests. */
export interface Kafka {
  readonly brokers: readonly string[];
  /** The addresses of the second listener. */
  readonly external: readonly string[];
  /** Its processes, when they are ours: those of KAFKA_BROKERS can be neither killed nor started. */
  readonly nodes: readonly JavaProcess[];
  /** Where node 0 keeps its topics, when it is ours. */
  readonly data: string;
  stop(): Promise<void>;
}

interface Ports {
  readonly client: number;
  readonly controller: number;
  readonly external: number;
}

/** The cluster of KAFKA_BROKERS, or one of our own, from jars. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && Object.keys(options).length === 0) {
    return { brokers: given.split(','), external: [], nodes: [], data: '', stop: () => Promise.resolve() };
  }
  const count = options.nodes ?? 1;
  const numbers = await freePorts(count * 3);
  const ports = Array.from({ length: count }, (_, node): Ports => {
    const [client = 0, controller = 0, external = 0] = numbers.slice(node * 3);
    return { client, controller, external };
  });
  const folder = serverFolder();
  const nodes = ports.map((_, node) => kafkaNode(folder, node, ports, options));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = (key: keyof Ports): string[] => ports.map((port) => `${HOST}:${port[key]}`);
  const data = join(folder, '0', 'data');
  return { brokers: addresses('client'), external: addresses('external'), nodes, data, stop };
}

function kafkaNode(folder: string, node: number, ports: readonly Ports[], options: KafkaOptions): JavaProcess {
  const home = join(folder, String(node));
  mkdirSync(home);
  const settings = { ...settingsOf(home, node, ports, options), ...options.settings };
  const lines = Object.entries(settings).map((entry) => entry.join('='));
  writeFileSync(join(home, 'server.properties'), lines.join('\n'));
  const jvm = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'];
  const args = [
    ...jvm,
    '-cp',
    `${join(jarsOf('kafka'), '*')}:${classesOf('kafka', MAIN)}`,
    MAIN,
    home,
    CLUSTER_ID,
    folder,
    ...(options.scram ?? []),
  ];
  return new JavaProcess({ name: `Kafka node ${node}`, cwd: home, args, ready: /Kafka Server started/ });
}

function settingsOf(
  home: string,
  node: number,
  ports: readonly Ports[],
  { external, advertised }: KafkaOptions,
): Record<string, string> {
  const own = ports[node] ?? { client: 0, controller: 0, external: 0 };
  const outer = `${HOST}:${own.external}`;
  const listening = (address: string): string =>
    [`PLAINTEXT://${HOST}:${own.client}`, ...(external === undefined ? [] : [`EXTERNAL://${address}`])].join(',');
  const replicas = String(ports.length);
  const minInSync = ports.length > 1 ? '2' : '1';
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node),
    'controller.quorum.voters': ports.map(({ controller }, at) => `${at}@${HOST}:${controller}`).join(','),
    listeners: `${listening(outer)},CONTROLLER://${HOST}:${own.controller}`,
    'advertised.listeners': listening(advertised?.[node] ?? outer),
    'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTERNAL:${external ?? 'PLAINTEXT'}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(home, 'data'),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': '5',
    'default.replication.factor': replicas,
    'min.insync.replicas': minInSync,
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    // Fault tests kill members, and wait until the group notices.
    'group.min.session.timeout.ms': '1000',
    'log.cleaner.dedupe.buffer.size': '2097152',
  };
}
