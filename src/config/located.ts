import { isAlias, isMap, isScalar, isSeq, Schema } from 'yaml';
import type { Alias, Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Faults, Path } from './fault.js';
import { substitute, unmask } from './substitute.js';
import type { Environment } from './substitute.js';

/** A value of a document, and where it stands. */
export interface Located {
  /** After substitution. */
  readonly value: unknown;
  readonly offset: number;
  /** How many values it is made of. */
  readonly size: number;
  /** A scalar's text before substitution, if it has references. */
  readonly written?: string;
  /** Part of the value came from the environment or a file: it must not be printed. */
  readonly isSecret?: boolean;
  /** Its fault is known already: what else seems wrong with it follows from that. */
  readonly isBroken?: boolean;
  readonly entries?: ReadonlyMap<string, Entry>;
  readonly items?: readonly Located[];
}

interface Entry {
  readonly keyOffset: number;
  readonly node: Located;
}

/** Where something is, or would be. */
export interface Place {
  /** Where to point: at the value, or at the mapping that lacks it. */
  readonly offset: number;
  /** Where to point when the key is meant. */
  readonly keyOffset: number;
  /** Undefined if it is not there. */
  readonly node: Located | undefined;
}

// Aliases of aliases make an endless document from a short one.
const MAX_VALUES = 100_000;

const core = new Schema({ schema: 'core' });

/** What an unquoted scalar means to YAML's core schema: "1000" is a number. */
function typed(text: string): unknown {
  for (const tag of core.tags) {
    if (tag.collection !== undefined || tag.default !== true || tag.test?.test(text) !== true) continue;
    const value = tag.resolve(text, () => undefined, {});
    // Floats come as nodes, to keep their form when written again.
    return isScalar(value) ? value.value : value;
  }
  return text;
}

function offsetOf(node: { range?: readonly number[] | null }, otherwise: number): number {
  return node.range?.[0] ?? otherwise;
}

/** Turns the nodes of one document into values that know their places. */
export class Locator {
  readonly #document: Document;
  readonly #environment: Environment;
  readonly #faults: Faults;
  readonly #anchored = new Map<Node, Located>();
  #values = 0;

  constructor(document: Document, environment: Environment, faults: Faults) {
    this.#document = document;
    this.#environment = environment;
    this.#faults = faults;
  }

  /** `keyOffset`: where to point when the value is not written at all, as in `stdin:`. */
  locate(node: unknown, path: Path, keyOffset: number): Located {
    if (isAlias(node)) return this.#alias(node, path, keyOffset);
    const located = this.#own(node, path, keyOffset);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) this.#anchored.set(node, located);
    return located;
  }

  #own(node: unknown, path: Path, keyOffset: number): Located {
    this.#values++;
    if (isMap(node)) return this.#map(node, path, keyOffset);
    if (isSeq(node)) return this.#list(node, path, keyOffset);
    if (isScalar(node) && node.source !== '') return this.#scalar(node, path, keyOffset);
    // An empty text has a source too, but it was quoted.
    const isText = isScalar(node) && typeof node.value === 'string';
    return { value: isText ? '' : null, offset: isText ? offsetOf(node, keyOffset) : keyOffset, size: 1 };
  }

  #alias(node: Alias, path: Path, keyOffset: number): Located {
    const offset = offsetOf(node, keyOffset);
    const target = node.resolve(this.#document);
    const located = target === undefined ? undefined : this.#anchored.get(target);
    this.#values += located?.size ?? 0;
    if (located !== undefined && this.#values <= MAX_VALUES) return { ...located, offset };
    const what =
      target === undefined ? `an anchor &${node.source} above` : 'an alias of something smaller and complete';
    this.#faults.add(offset, path, `expected ${what}`);
    return { value: null, offset, size: 1, isBroken: true };
  }

  #scalar(node: Scalar, path: Path, keyOffset: number): Located {
    const offset = offsetOf(node, keyOffset);
    const plain = { offset, size: 1 };
    if (typeof node.value !== 'string') return { ...plain, value: node.value };
    const written = unmask(node.value);
    if (!written.includes('${')) return { ...plain, value: written };
    const { text, substituted, whole, faults } = substitute(written, this.#environment);
    for (const fault of faults) this.#faults.add(offset, path, fault);
    const isTyped = whole && node.type === 'PLAIN' && node.tag === undefined;
    const value = isTyped && faults.length === 0 ? typed(text) : text;
    return { ...plain, value, written, isSecret: substituted, isBroken: faults.length > 0 };
  }

  #list(node: YAMLSeq, path: Path, keyOffset: number): Located {
    const offset = offsetOf(node, keyOffset);
    const items = node.items.map((item, at) => this.locate(item, [...path, at], offset));
    const size = items.reduce((sum, item) => sum + item.size, 1);
    return { value: items.map(({ value }) => value), offset, size, items };
  }

  #map(node: YAMLMap, path: Path, keyOffset: number): Located {
    const offset = offsetOf(node, keyOffset);
    const entries = new Map<string, Entry>();
    let size = 1;
    for (const { key, value } of node.items) {
      const at = offsetOf(key as Node, offset);
      const name = this.#key(key, at, path);
      if (name === undefined) continue;
      const first = entries.get(name)?.keyOffset;
      const located = this.locate(value, [...path, name], at);
      size += located.size;
      if (first === undefined) entries.set(name, { keyOffset: at, node: located });
      else this.#faults.add(at, [...path, name], `expected each key once, first at line ${this.#faults.lineOf(first)}`);
    }
    const value = Object.fromEntries([...entries].map(([name, entry]) => [name, entry.node.value]));
    return { value, offset, size, entries };
  }

  #key(key: unknown, offset: number, path: Path): string | undefined {
    const isNull = isScalar(key) && key.value === null;
    const name = isScalar(key) && !isNull ? unmask(key.source ?? String(key.value)) : undefined;
    // As an object's key it would set the prototype.
    if (name !== undefined && name !== '__proto__') return name;
    this.#faults.add(offset, path, `expected a name as key${name === undefined ? '' : ` other than ${name}`}`);
    return undefined;
  }
}

/** Where a path leads; if it leads nowhere, the last mapping on the way. */
export function placeOf(root: Located, path: Path): Place {
  let place: Place = { offset: root.offset, keyOffset: root.offset, node: root };
  for (const part of path) {
    const entry = place.node?.entries?.get(String(part));
    const node = entry?.node ?? place.node?.items?.[Number(part)];
    if (node === undefined) return { offset: place.keyOffset, keyOffset: place.keyOffset, node: undefined };
    place = { offset: node.offset, keyOffset: entry?.keyOffset ?? node.offset, node };
  }
  return place;
}
