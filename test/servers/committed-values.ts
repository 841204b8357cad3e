import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { classesOf, jarsOf } from './jars.js';

const MAIN = 'CommittedReader';
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The values that Kafka's own consumer reads of a topic with isolation level read_committed, by partition and in order.
 * It waits for transactions that are open.
 */
export async function committedValues(brokers: readonly string[], topic: string): Promise<string[][]> {
  const path = `${join(jarsOf('kafka'), '*')}:${classesOf('kafka', MAIN)}`;
  const { stdout } = await promisify(execFile)('java', ['-Xmx512m', '-cp', path, MAIN, brokers.join(), topic], {
    maxBuffer: MAX_BYTES,
  });
  const partitions: string[][] = [];
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const tab = line.indexOf('\t');
    (partitions[Number(line.slice(0, tab))] ??= []).push(line.slice(tab + 1));
  }
  return partitions;
}
