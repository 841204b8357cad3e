// Writes src/API.md from the doc comments of what the entries export:
//   node .ci/api-page.mjs           writes it
//   node .ci/api-page.mjs --check   fails when it is not what the comments say
// (typedoc with its markdown plugin was tried: 5500 lines, each configuration far from its operator, no groups.)
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGE = 'src/API.md';

/** Every function and class that is exported stands in one group; its types are shown where they are used first. */
const GROUPS = {
  'Batching and rates': ['batch', 'rateWindow'],
  Errors: [
    ...['retryBackoff', 'backoff', 'backoffDelay', 'backoffMs', 'fallbackTo', 'fallbackEach', 'onErrorReturnItem'],
    ...['recoverOrTerminate', 'deadLetter', 'circuitBreaker', 'Circuit', 'timeoutEach', 'MillraceError'],
  ],
  'Bounded concurrency': [
    ...[
      'mergeMapBounded',
      'orderedMergeMap',
      'semaphore',
      'aimdLimit',
      'gradientLimit',
      'slidingWindowLimit',
      'joinAll',
    ],
  ],
  'Back-pressure': [
    ...['onBackpressureBuffer', 'onBackpressureDrop', 'onBackpressureLatest', 'withDemand'],
    ...['fromAsyncIterable', 'toAsyncIterable'],
  ],
  'Keyed and side streams': [
    ...['groupByTtl', 'distinctWithin', 'throttleByKey', 'sampleRatio', 'joinLines', 'route', 'mirror'],
  ],
  'Event time': [
    ...['withWatermark', 'tumblingWindow', 'slidingWindow', 'sessionWindow', 'countWindow'],
    ...['countOf', 'sumOf', 'minOf', 'maxOf', 'meanOf', 'statsOf', 'KeptState'],
  ],
  Detection: ['movingStats', 'dynamicThreshold', 'alertState'],
  'Log events': ['LogEvent'],
  'Stages of log events: millrace/stages': [
    ...['parse', 'normalize', 'keep', 'drop', 'keepUnusual', 'fields', 'sample', 'dedupe', 'throttle', 'redact'],
  ],
};

const parsed = new Map();
function sourceOf(path) {
  if (!parsed.has(path)) {
    const text = readFileSync(join(root, path), 'utf8');
    parsed.set(path, ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));
  }
  return parsed.get(path);
}

/** What an entry exports: name → declaration. */
function exportsOf(entry) {
  const found = new Map();
  for (const statement of sourceOf(entry).statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const path = join(dirname(entry), statement.moduleSpecifier.text.replace(/\.js$/, '.ts'));
    for (const { name } of statement.exportClause.elements) found.set(name.text, declarationOf(path, name.text));
  }
  return found;
}

function declarationOf(path, name) {
  const source = sourceOf(path);
  for (const node of source.statements) {
    if (node.name?.text === name) return node;
    if (ts.isVariableStatement(node) && node.declarationList.declarations[0].name.text === name) return node;
    if (ts.isExportDeclaration(node) && node.exportClause?.elements.some((each) => each.name.text === name)) {
      return declarationOf(join(dirname(path), node.moduleSpecifier.text.replace(/\.js$/, '.ts')), name);
    }
  }
  throw new Error(`${path} does not declare ${name}`);
}

function commentOf(node) {
  const text = node.getFullText();
  const ranges = ts.getLeadingCommentRanges(text, 0) ?? [];
  const last = ranges.map(({ pos, end }) => text.slice(pos, end)).findLast((each) => each.startsWith('/**'));
  if (last === undefined) return '';
  const lines = last.slice(3, -2).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim();
}

const isHidden = ({ modifiers, name }) =>
  name?.kind === ts.SyntaxKind.PrivateIdentifier ||
  modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);

/** A declaration without its comment and without what it does. */
function signatureOf(node) {
  const text = node.getText().replace(/^export (declare )?/, '');
  if (ts.isFunctionDeclaration(node) && node.body)
    return text.slice(0, node.body.getStart() - node.getEnd()).trim() + ';';
  if (ts.isClassDeclaration(node)) return text.slice(0, text.indexOf('{')).trim();
  return text;
}

function memberSignature(member) {
  const end = (member.body ?? member.initializer)?.getStart() ?? member.getEnd();
  const text = member.getSourceFile().text.slice(member.getStart(), end);
  return text
    .trim()
    .replace(/\s*=$/, '')
    .replace(/;$/, '')
    .replace(/\s+/g, ' ')
    .replace(/^(readonly|async) /, '');
}

/** Interfaces as a list of their members; other types as they are written. */
function typeText(name, node) {
  const about = commentOf(node);
  if (!ts.isInterfaceDeclaration(node)) {
    return `**\`${name}\`** ${about}\n\n\`\`\`ts\n${signatureOf(node)}\n\`\`\`\n`;
  }
  const parent = node.heritageClauses?.map((clause) => ` \`${clause.getText()}\``).join('') ?? '';
  const members = node.members.map(
    (each) => `- \`${memberSignature(each)}\` ${commentOf(each).replace(/\s*\n\s*/g, ' ')}`,
  );
  return `**\`${name}\`**${parent} ${about}\n\n${members.join('\n')}\n`;
}

function classMembers(node) {
  return node.members
    .filter((each) => !isHidden(each) && !ts.isSemicolonClassElement(each))
    .map((each) => `- \`${memberSignature(each)}\` ${commentOf(each).replace(/\s*\n\s*/g, ' ')}`)
    .join('\n');
}

/** Pictures are no language that anything can colour. */
const markdownOf = (comment) => comment.replace(/```marbles/g, '```text').replace(/^@example\n/gm, '');

function wordsOf(node) {
  return new Set(signatureOf(node).match(/\b[A-Z]\w+/g));
}

/** The types that a declaration speaks of, and those that these speak of, as long as nobody has shown them. */
function typesBehind(node, all, shown) {
  return [...wordsOf(node)].flatMap((name) => {
    const type = all.get(name);
    if (type === undefined || shown.has(name) || ts.isClassDeclaration(type) || ts.isFunctionDeclaration(type))
      return [];
    shown.add(name);
    return [[name, type], ...typesBehind(type, all, shown)];
  });
}

function entryText(name, all, shown) {
  const node = all.get(name);
  const parts = [`### \`${name}\``, `\`\`\`ts\n${signatureOf(node)}\n\`\`\``, markdownOf(commentOf(node))];
  if (ts.isClassDeclaration(node)) parts.push(classMembers(node));
  for (const [type, declaration] of typesBehind(node, all, shown)) parts.push(typeText(type, declaration));
  return parts.join('\n\n');
}

const isValue = (node) => !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node);
const firstSentence = (comment) =>
  /^(?:`[^`]*`|[^`])*?[.:](?=\s|$)/.exec(comment)?.[0].replace(/\s+/g, ' ').replace(/:$/, '.') ?? '';

function groupText(title, names, all, shown) {
  const rest = names.map((name) => entryText(name, all, shown));
  return [`## ${title}`, ...rest].join('\n\n');
}

function indexText(groups, all) {
  const rows = Object.entries(groups).map(([title, names]) => {
    const links = names.map(
      (name) => `- [\`${name}\`](#${name.toLowerCase()}): ${firstSentence(commentOf(all.get(name)))}`,
    );
    return `**${title}**\n\n${links.join('\n')}`;
  });
  return rows.join('\n\n');
}

const pack = new Map([...exportsOf('src/index.ts'), ...exportsOf('src/stages.ts')]);
const flow = exportsOf('src/flow.ts');
const testing = exportsOf('src/testing/index.ts');
const values = (all) => [...all].filter(([, node]) => isValue(node)).map(([name]) => name);
const grouped = Object.values(GROUPS).flat();
const faults = [
  ...values(pack)
    .filter((name) => !grouped.includes(name))
    .map((name) => `${name} is in no group of ${PAGE}`),
  ...grouped.filter((name) => !pack.has(name)).map((name) => `${name} is in a group of ${PAGE} and not exported`),
  ...[...pack, ...flow, ...testing]
    .filter(([, node]) => commentOf(node) === '')
    .map(([name]) => `${name} has no doc comment`),
];
if (faults.length > 0) throw new Error(faults.join('\n'));

const groups = {
  ...GROUPS,
  'Pipelines in code: millrace/flow': values(flow),
  'For tests: millrace/testing': values(testing),
};
const everything = new Map([...testing, ...flow, ...pack]);
const shown = new Set();
const INTRODUCTION = `# The API of millrace

Made from the doc comments by \`npm run api\`. Every picture and every example on this page runs as a test. In a picture a
character is a millisecond; \`source\` is what is piped, \`>\` what is called, \`output\` what comes out, \`subs\` when the source is
subscribed and left, \`where\` what the letters stand for. Examples leave out their imports from \`rxjs\` and \`millrace\`.`;
const text = [
  INTRODUCTION,
  indexText(groups, everything),
  ...Object.entries(groups).map(([title, names]) => groupText(title, names, everything, shown)),
].join('\n\n');

const options = await prettier.resolveConfig(join(root, PAGE));
const page = await prettier.format(text, { ...options, filepath: PAGE });
if (!process.argv.includes('--check')) writeFileSync(join(root, PAGE), page);
else if (readFileSync(join(root, PAGE), 'utf8') !== page) {
  console.error(`${PAGE} is not what the doc comments say: npm run api`);
  process.exitCode = 1;
}
