import { basename, extname } from 'node:path';
import { isScalar, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { findDuplicates } from './duplicates.js';
import { validate } from './expectation.js';
import type { Finding } from './expectation.js';
import { ConfigError, Faults, nearestTo } from './fault.js';
import { Locator, placeOf } from './located.js';
import type { Located } from './located.js';
import { findRunaways } from './runaway.js';
import { pipelineSchema } from './schema.js';
import type { PipelineConfig, PipelineDraft } from './schema.js';
import { maskReferences, unmask } from './substitute.js';
import type { Environment } from './substitute.js';
import { findTransactionFaults } from './transactional.js';

export { ConfigError, formatFault } from './fault.js';
export type { ConfigFault } from './fault.js';

/** Where a configuration is loaded. */
export interface LoadEnvironment extends Environment {
  /** Where relative paths start; only to see whether two of them are the same file. */
  readonly cwd: string;
}

/** The same structure, with `${NAME}` as it was written, where a number or a choice will be too. */
export type Shown<T> = T extends string | number | boolean ? T | string : { readonly [K in keyof T]: Shown<T[K]> };

/** One pipeline of a configuration. */
export interface LoadedPipeline {
  /** With all defaults, and frozen. */
  readonly config: PipelineConfig;
  /** The same before substitution: it holds no secret, and is what people get to see. */
  readonly shown: Shown<PipelineConfig>;
}

interface Loaded {
  readonly root: Located;
  readonly defaultName: string;
  readonly draft: PipelineDraft | undefined;
}

/** A received value, shortened; nothing of it if it may be a secret. */
function received({ value, isSecret }: Located, message: string): string {
  if (isSecret === true) {
    const isRead = typeof value !== 'string' && message.includes('a string');
    return isRead ? 'a substituted value that is no string (quotes keep it one)' : 'a substituted value';
  }
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) return message.endsWith('a mapping') ? 'nothing ({} takes the defaults)' : 'nothing';
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

function addFinding(finding: Finding, root: Located, faults: Faults): void {
  const { path, message, nearestOf = [], isUnknownKey, isMissing, isMismatch } = finding;
  const { node, offset, keyOffset } = placeOf(root, path);
  if (isUnknownKey === true) {
    faults.add(keyOffset, path, message, nearestTo(String(path.at(-1)), nearestOf));
  } else if (node === undefined) {
    faults.add(offset, path, `missing, ${message}`);
  } else if (isMissing === true) {
    faults.add(keyOffset, path, message);
  } else if (node.isBroken !== true) {
    const isScalar = node.entries === undefined && node.items === undefined;
    const got = isScalar || isMismatch === true ? `, got ${received(node, message)}` : '';
    const nearest = typeof node.value === 'string' ? nearestTo(node.value, nearestOf) : undefined;
    faults.add(offset, path, `${message}${got}`, nearest);
  }
}

/** Undefined if it is not even YAML. */
function loadDocument(
  document: Document.Parsed,
  environment: Environment,
  faults: Faults,
): Omit<Loaded, 'defaultName'> | undefined {
  const { errors, warnings, contents } = document;
  const hasSyntaxFault = errors.some(({ code }) => code !== 'DUPLICATE_KEY');
  // Duplicate keys are found again below, with their paths.
  for (const { pos, message } of [...(hasSyntaxFault ? errors : []), ...warnings]) {
    faults.add(pos[0], [], `expected valid YAML: ${unmask(message)}`);
  }
  if (hasSyntaxFault) return undefined;
  const start = contents?.range[0] ?? 0;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    faults.add(start, [], 'expected a pipeline, got an empty document');
    return undefined;
  }
  const root = new Locator(document, environment, faults).locate(contents, [], start);
  findRunaways(root, faults);
  const result = validate(pipelineSchema, root.value);
  if ('data' in result) return { root, draft: result.data };
  for (const finding of result) addFinding(finding, root, faults);
  return { root, draft: undefined };
}

function complete(draft: PipelineDraft, defaultName: string): PipelineConfig {
  const name = draft.name ?? defaultName;
  return {
    ...draft,
    name,
    checkpoint: { ...draft.checkpoint, path: draft.checkpoint.path ?? `data/${name}.checkpoint` },
    routes: draft.routes.map((route, at) => ({ ...route, name: route.name ?? `route${at + 1}` })),
  };
}

/** Puts what was written back in the place of what it was substituted with. */
function asWritten(value: unknown, node: Located | undefined): unknown {
  if (node?.written !== undefined) return Array.isArray(value) ? [node.written] : node.written;
  if (Array.isArray(value)) return value.map((each, at) => asWritten(each, node?.items?.[at]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, asWritten(each, node?.entries?.get(key)?.node)]),
  );
}

/** A deep copy that cannot be changed: defaults are shared between documents. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, frozen(each)])));
}

function pipelineOf(draft: PipelineDraft, root: Located, defaultName: string): LoadedPipeline {
  // The draft as written has texts where the draft has numbers; its structure is the same.
  const written = asWritten(draft, root) as PipelineDraft;
  return {
    config: frozen(complete(draft, defaultName)) as PipelineConfig,
    shown: frozen(complete(written, defaultName)) as Shown<PipelineConfig>,
  };
}

function stemOf(file: string): string {
  const stem = basename(file, extname(file)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return stem === '' ? 'pipeline' : stem;
}

/**
 * Reads a configuration: one pipeline a document, checked, with its defaults. `file` is for faults and names only.
 * Throws a ConfigError with every fault of every document, by position.
 */
export function loadConfig(
  text: string,
  file: string,
  environment: LoadEnvironment,
): { readonly pipelines: readonly LoadedPipeline[] } {
  const yaml = maskReferences(text.replace(/^\uFEFF/, ''));
  const faults = new Faults(file, yaml);
  const stream = parseAllDocuments(yaml, { prettyErrors: false, schema: 'core' });
  const documents: readonly Document.Parsed[] = 'empty' in stream ? [] : stream;
  if (documents.length === 0) faults.add(0, [], 'expected a pipeline, got an empty file');
  const loaded = documents.flatMap((document, at): Loaded[] => {
    const result = loadDocument(document, environment, faults);
    return result === undefined
      ? []
      : [{ ...result, defaultName: at === 0 ? stemOf(file) : `${stemOf(file)}-${at + 1}` }];
  });
  findDuplicates(loaded, environment.cwd, faults);
  for (const document of loaded) findTransactionFaults(document, faults);
  if (faults.sorted.length > 0) throw new ConfigError(faults.sorted);
  const pipelines = loaded.flatMap(({ draft, root, defaultName }) =>
    draft === undefined ? [] : [pipelineOf(draft, root, defaultName)],
  );
  return { pipelines };
}
