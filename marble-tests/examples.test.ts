import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as testing from '../src/testing/index.js';
import { docBlocksIn } from './doc-blocks.js';
import { expectedLog, runExample, typeFaults } from './examples.js';
import { pack } from './pack.js';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const folders = ['operators', 'flow', 'testing'];
const examples = folders
  .flatMap((folder) => docBlocksIn(`${root}/src/${folder}`))
  .filter(({ language }) => language === 'ts');
const runnable = examples.filter(({ lines }) => expectedLog(lines).length > 0);

/** Exported, and explained elsewhere. */
const WITHOUT_EXAMPLE = new Set(['LogEvent', 'MillraceError']);

describe('the examples in the doc comments', () => {
  it.each(runnable.map((example) => [`${example.of} (${example.place})`, example] as const))(
    '%s',
    async (_, { lines }) => {
      expect(await runExample(lines)).toEqual(expectedLog(lines));
    },
  );

  it('have the right types', { timeout: 60_000 }, () => {
    const byName = new Map(runnable.map(({ of, place, lines }) => [`${of} ${place.replace(/\W/g, ' ')}`, lines]));
    expect(typeFaults(byName, root)).toEqual([]);
  });

  it('every operator of the pack has one that runs', () => {
    const shown = new Set(runnable.map(({ of }) => of));
    expect(Object.keys(pack).filter((name) => !shown.has(name) && !WITHOUT_EXAMPLE.has(name))).toEqual([]);
  });
});

describe('the examples of pipelines in code', () => {
  it('every way in has one that runs', () => {
    const shown = new Set(runnable.map(({ of }) => of));
    expect(['topology', 'settle', 'Budget', 'Checkpointer'].filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('the examples of the tools for tests', () => {
  it('every way in has one that runs', () => {
    const shown = new Set(runnable.map(({ of }) => of));
    expect(['marbles', 'enumerateCrashes', 'placeOf', 'RecordingSink'].filter((name) => !shown.has(name))).toEqual([]);
    expect(Object.keys(testing)).toEqual(expect.arrayContaining(['marbles', 'enumerateCrashes']));
  });
});

describe('an example', () => {
  it('logs what it says, in virtual time or, when it awaits, in real time', async () => {
    const lines = ["timer(60_000).subscribe(() => console.log('a', [1], { b: 2 }));", '// → a [ 1 ] { b: 2 }'];
    expect(await runExample(lines)).toEqual(expectedLog(lines));
    expect(await runExample(['console.log(await firstValueFrom(of(7)));'])).toEqual(['7']);
    await expect(runExample(["throw new Error('mine');"])).rejects.toThrow('mine');
  });

  it('with a wrong type is found', { timeout: 60_000 }, () => {
    const faults = typeFaults(new Map([['bad', ["batch({ maxCount: 'two' });"]]]), root);
    expect(faults).toEqual([expect.stringContaining("bad: Type 'string' is not assignable to type 'number'")]);
  });
});
