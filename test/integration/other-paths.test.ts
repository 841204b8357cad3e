import { appendFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ndjson, placeForEachTest } from './harness.js';
import { ask } from './stored.js';

const place = placeForEachTest();

/** One checkpoint, whatever the paths. */
function write(paths: string): void {
  place().write(
    'pipeline.yaml',
    `name: app
source: { tail: { paths: [${paths}] } }
routes: [{ to: { file: { path: out.ndjson } } }]
`,
  );
}

function messages(file = 'out.ndjson'): unknown[] {
  return ndjson(place().path(file)).map((event) => event['message']);
}

describe('other paths with the same checkpoint', () => {
  it('a file that no pattern matches any more is not read, and goes on where it was when one does again', async () => {
    const one = place().write('one.log', 'first of one\n');
    place().write('two.log', 'first of two\n');
    write('one.log');
    await place().once();
    appendFileSync(one, 'second of one\n');
    write('two.log');
    expect((await place().once()).summary.read).toBe(1);
    expect(messages()).toEqual(['first of one', 'first of two']);
    write('one.log, two.log');
    expect((await place().once()).summary.read).toBe(1);
    expect(messages()).toEqual(['first of one', 'first of two', 'second of one']);
  });

  it('run FILE is a pipeline of its own for each set of files', async () => {
    place().write('one.log', 'first of one\n');
    place().write('two.log', 'first of two\n');
    const { stderr } = await place().run(['run', 'one.log', '--once']);
    const [, file = ''] = /stored in (\S+)/.exec(stderr) ?? [];
    await place().run(['run', 'two.log', '--once']);
    await place().run(['run', 'one.log', '--once']);
    const stored = await ask(place().path(file), 'SELECT message FROM events ORDER BY message');
    expect(stored).toEqual([{ message: 'first of one' }, { message: 'first of two' }]);
  });
});
