// What the client and the node can do: documents that are ready as texts, in bulk requests with explicit ids, several at
// a time. Arguments: node, index, a file with one JSON document a line.
import { readFileSync } from 'node:fs';
import { Client } from '@elastic/elasticsearch';

const [, , node, index, path] = process.argv;
const DOCUMENTS = 4000;
const IN_FLIGHT = 3;
const client = new Client({ node, maxRetries: 0 });
const documents = readFileSync(path, 'utf8').trimEnd().split('\n');
const bodies = [];
for (let at = 0; at < documents.length; at += DOCUMENTS) {
  let body = '';
  for (const document of documents.slice(at, at + DOCUMENTS)) {
    const id = /"event\.id":"([^"]+)"/.exec(document)[1];
    body += `{"create":{"_index":"${index}","_id":"${id}"}}\n${document}\n`;
  }
  bodies.push(body);
}
let next = 0;
let delivered = 0;
async function send() {
  while (next < bodies.length) {
    const { items } = await client.bulk({ operations: bodies[next++], filter_path: ['items.*.status'] });
    for (const { create } of items) if (create.status === 201) delivered++;
  }
}
const startedAt = performance.now();
await Promise.all(Array.from({ length: IN_FLIGHT }, send));
const seconds = (performance.now() - startedAt) / 1000;
await client.close();
console.log(JSON.stringify({ read: documents.length, delivered, seconds }));
