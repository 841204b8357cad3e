import { parseArgs } from 'node:util';
import type { Shown } from '../config/load.js';
import type { PipelineConfig } from '../config/schema.js';
import { deadLetterPath } from './resources/file.js';
import { loadConfigurations } from './configurations.js';
import type { ConfigPlace } from './configurations.js';
import { argumentFault } from './command-io.js';
import type { CommandIo } from './command-io.js';

type ShownPipeline = Shown<PipelineConfig>;

/** What a box says: the operator's name, and the options that tell it from others, as they are written. */
function label(step: object): string {
  const [name = '', options = {}] = Object.entries(step)[0] ?? [];
  const details = Object.entries(options as object)
    .filter(([key]) => TOLD.includes(key))
    .map(([, value]) => (Array.isArray(value) ? value.join(', ') : String(value)));
  return details.length === 0 ? name : `${name}: ${details.join(' ')}`;
}

/** Options that people recognise a step by. */
const TOLD = [
  'paths',
  'path',
  'format',
  'level',
  'minLevel',
  'field',
  'equals',
  'matches',
  'contains',
  'rate',
  'share',
  'by',
];

interface Drawn {
  readonly source: string;
  readonly stages: readonly string[];
  readonly routes: readonly {
    readonly name: string;
    readonly stages: readonly string[];
    readonly to: readonly string[];
    readonly mirror: readonly string[];
  }[];
  readonly deadLetters: string;
}

function drawn({ source, stages, routes, deadLetter, checkpoint }: ShownPipeline): Drawn {
  return {
    source: label(source),
    stages: stages.map((stage) => label(stage)),
    routes: routes.map(({ name, stages: own, to, mirror }) => ({
      name,
      stages: own.map((stage) => label(stage)),
      to: (Array.isArray(to) ? (to as readonly object[]) : [to as object]).map((sink) => label(sink)),
      mirror: mirror === undefined ? [] : [label(mirror.to)],
    })),
    deadLetters: deadLetter === undefined ? `file: ${deadLetterPath(checkpoint.path)}` : label(deadLetter),
  };
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;').replaceAll('\n', ' ')}"`;
}

function mermaid(name: string, { source, stages, routes, deadLetters }: Drawn, index: number): string[] {
  const id = (suffix: string): string => `p${index}${suffix}`;
  const lines = [`  subgraph ${id('')} [${quoted(name)}]`, `    ${id('source')}([${quoted(source)}])`];
  let last = id('source');
  const step = (suffix: string, text: string, from: string): string => {
    lines.push(`    ${from} --> ${id(suffix)}[${quoted(text)}]`);
    return id(suffix);
  };
  stages.forEach((stage, at) => (last = step(`s${at}`, stage, last)));
  routes.forEach((route, at) => {
    let end = last;
    route.stages.forEach((stage, place) => (end = step(`r${at}s${place}`, stage, end)));
    route.to.forEach((sink, place) => {
      lines.push(`    ${end} -->|${quoted(route.name)}| ${id(`r${at}t${place}`)}[(${quoted(sink)})]`);
    });
    for (const sink of route.mirror) lines.push(`    ${end} -.->|"mirror"| ${id(`r${at}m`)}[(${quoted(sink)})]`);
  });
  lines.push(`    ${last} -.->|"dead letters"| ${id('dead')}[(${quoted(deadLetters)})]`, '  end');
  return lines;
}

function ascii(name: string, { source, stages, routes, deadLetters }: Drawn): string[] {
  const chain = [source, ...stages].join(' → ');
  const ways = [
    ...routes.flatMap((route) => {
      const own = route.stages.map((stage) => `${stage} → `).join('');
      const mirrors = route.mirror.map((sink) => `${route.name}, mirror: ${own}${sink}`);
      return [...route.to.map((sink) => `${route.name}: ${own}${sink}`), ...mirrors];
    }),
    `dead letters: ${deadLetters}`,
  ];
  return [name, `  ${chain}`, ...ways.map((way, at) => `    ${at === ways.length - 1 ? '└' : '├'}─ ${way}`)];
}

/** `graph`: the pipelines as Mermaid text, or as lines for a terminal. Values from the environment are not shown. */
export function graph(args: readonly string[], io: CommandIo & ConfigPlace): number {
  let paths: string[];
  let isAscii: boolean;
  try {
    const parsed = parseArgs({ args: [...args], options: { ascii: { type: 'boolean' } }, allowPositionals: true });
    paths = parsed.positionals;
    isAscii = parsed.values.ascii ?? false;
    if (paths.length === 0) throw new Error('no configuration given');
  } catch (error) {
    io.stderr.write(`${argumentFault(error)}\nusage: millrace graph CONFIG.yaml … [--ascii]\n`);
    return 1;
  }
  const { pipelines, faults } = loadConfigurations(paths, io);
  if (faults.length > 0) {
    io.stderr.write(`${faults.join('\n')}\n`);
    return 1;
  }
  const lines = pipelines.flatMap(({ config, shown }, index) =>
    isAscii ? ascii(config.name, drawn(shown)) : mermaid(config.name, drawn(shown), index),
  );
  io.stdout.write(`${(isAscii ? lines : ['flowchart LR', ...lines]).join('\n')}\n`);
  return 0;
}
