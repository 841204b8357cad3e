import { inspect } from 'node:util';
import { runInThisContext } from 'node:vm';
import * as rxjs from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import ts from 'typescript';
import * as flow from '../src/flow.js';
import * as millrace from '../src/index.js';
import * as stages from '../src/stages.js';
import type { LogEvent } from '../src/model/event.js';
import * as testing from '../src/testing/index.js';

// An example is the ```ts block after `@example`. It is complete but for its imports: whatever `rxjs`, `millrace`,
// `millrace/stages`, `millrace/flow` and `millrace/testing` export is there, and `events('line', …)` stands for a source of log events. Each `// → …` says what is logged next.
// Time is virtual, except in an example that awaits.

const ARROW = /\/\/ → (.*)$/;

/** What an example says it logs. */
export function expectedLog(lines: readonly string[]): string[] {
  return lines.flatMap((line) => ARROW.exec(line)?.slice(1, 2) ?? []);
}

/** A source of log events, one for each line. */
function events(...lines: readonly string[]): rxjs.Observable<LogEvent> {
  const place = testing.placeOf();
  return rxjs.from(lines.map((line) => place.raw(line)));
}

/** Runs an example; gives what it logs. */
export async function runExample(lines: readonly string[]): Promise<string[]> {
  const log: string[] = [];
  const show = (value: unknown): string =>
    typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: 4 });
  const console = { log: (...values: unknown[]) => void log.push(values.map(show).join(' ')) };
  const scope = { ...rxjs, ...millrace, ...stages, ...flow, ...testing, events, console };
  const source = ts.transpile(lines.join('\n'), { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
  const awaits = /\bawait\b/.test(source);
  const run = runInThisContext(`(${awaits ? 'async ' : ''}(${Object.keys(scope).join(', ')}) => {\n${source}\n})`) as (
    ...values: unknown[]
  ) => unknown;
  const start = (): unknown => run(...Object.values(scope));
  if (awaits) await start();
  else new TestScheduler(() => undefined).run(start);
  return log;
}

const CONTEXT = `import type { LogEvent as LogEvent_ } from '../src/index.js';
import type { Observable as Observable_ } from 'rxjs';
declare global { function events(...lines: string[]): Observable_<LogEvent_>; }
`;

/** An example as a module: with the imports of the names it uses. */
function asModule(lines: readonly string[]): string {
  const words = new Set(lines.join('\n').match(/\b\w+\b/g));
  const used = (names: object, except: object = {}): string =>
    Object.keys(names)
      .filter((name) => words.has(name) && !(name in except))
      .join(', ');
  const ours = `import { ${used(millrace)} } from '../src/index.js'; import { ${used(stages)} } from '../src/stages.js'; import { ${used(flow)} } from '../src/flow.js'; import { ${used(testing)} } from '../src/testing/index.js'; `;
  return `import { ${used(rxjs, { ...millrace, ...stages, ...testing })} } from 'rxjs'; ${ours}${lines.join('\n')}\nexport {};\n`;
}

/** Type-checks examples as this project's own code; gives the faults as `name: message`. */
export function typeFaults(examples: ReadonlyMap<string, readonly string[]>, root: string): string[] {
  const path = (name: string): string => `${root}/marble-tests/${name}.example.ts`;
  const texts = new Map([...examples].map(([name, lines]) => [path(name), asModule(lines)]));
  texts.set(path('context'), CONTEXT);
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile.bind(ts.sys)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  // An example shows what a callback is given, also when it needs only a part.
  const relaxed = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(relaxed);
  const [readFile, fileExists] = [host.readFile.bind(host), host.fileExists.bind(host)];
  const getSourceFile = host.getSourceFile.bind(host);
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = texts.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...texts.keys()], relaxed, host);
  return [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSemanticDiagnostics(source), ...program.getSyntacticDiagnostics(source)].map(
      ({ messageText }) =>
        `${file.slice(path('').length - '.example.ts'.length, -'.example.ts'.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}
