// The DuckDB store beside DuckDB's bare appender (every line kept) and beside the file sink (15 % kept).
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeInput } from './input.mjs';

const appender = fileURLToPath(new URL('bare-appender.mjs', import.meta.url));
const ROUNDS = 3;
/** Of a short run, opening and closing the store, 0.1 to 0.2 s, is a tenth. */
const LONGER = 3;
const LONG_ROUNDS = 5;

/** Prints the part `store` of the bench. `measured`: runs a script to its end. */
export function store({ folder, input, lines, main, measured, median, millions, megabytes }) {
  const config = (name, keep, to, from) => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(
      path,
      `name: ${name}
source: { tail: { paths: ['${from}'] } }
checkpoint: { path: '${folder}/${name}.checkpoint' }
stages:
  - parse: { format: delimited, separator: '|', fields: [time, level, message] }
  - normalize: {}
routes:
  - name: all
    stages: [${keep ? '{ keep: { level: [ERROR, WARN] } }' : ''}]
    to: ${to}
`,
    );
    return path;
  };
  const run = (name, keep, to, [from, count] = [input, lines]) => {
    for (const ending of ['checkpoint', 'duckdb', 'duckdb.wal', 'out']) {
      rmSync(join(folder, `${name}.${ending}`), { force: true });
    }
    const result = measured(main, 'run', config(name, keep, to, from), '--once');
    if (result.read !== count) throw new Error(`${name}: ${result.read} lines of ${count}`);
    return result;
  };
  const runs = { bare: [], all: [], some: [], file: [], longSome: [], longFile: [] };
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(join(folder, 'bare.duckdb'), { force: true });
    runs.bare.push(measured(appender, join(folder, 'bare.duckdb'), String(lines)));
    runs.all.push(run('every', false, `{ duckdb: { path: '${folder}/every.duckdb' } }`));
    runs.file.push(run('filed', true, `{ file: { path: '${folder}/filed.out' } }`));
    runs.some.push(run('some', true, `{ duckdb: { path: '${folder}/some.duckdb' } }`));
  }
  const long = [join(folder, 'long.log'), lines * LONGER];
  writeInput(...long);
  for (let round = 0; round < LONG_ROUNDS; round++) {
    runs.longFile.push(run('filed', true, `{ file: { path: '${folder}/filed.out' } }`, long));
    runs.longSome.push(run('some', true, `{ duckdb: { path: '${folder}/some.duckdb' } }`, long));
  }
  rmSync(long[0]);
  const rate = (part) => millions(median(runs[part].map(({ seconds, read }) => read / seconds)));
  const ratio = (ours, theirs) =>
    `${(100 * median(runs[ours].map(({ seconds }, at) => runs[theirs][at].seconds / seconds))).toFixed(0)} %`;
  const memory = megabytes(Math.max(...[...runs.all, ...runs.some, ...runs.longSome].map(({ rssBytes }) => rssBytes)));
  console.log(`\nfile → parse → normalize → DuckDB: ${lines} lines; medians of ${ROUNDS} runs in turn`);
  console.log(`  bare appender                ${rate('bare')}`);
  console.log(`  every line kept              ${rate('all')}   ${ratio('all', 'bare')} of it   asked: at least 60 %`);
  console.log(`  file sink, 15 % kept         ${rate('file')}`);
  console.log(`  store, 15 % kept             ${rate('some')}   ${ratio('some', 'file')} of it   asked: at least 85 %`);
  console.log(`  the same, ${long[1]} lines: file ${rate('longFile')}`);
  console.log(
    `  store                        ${rate('longSome')}   ${ratio('longSome', 'longFile')} of it   asked: at least 85 %`,
  );
  console.log(`  memory, most                 ${memory}   asked: under 300 MB`);
}
