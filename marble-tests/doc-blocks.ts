import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a doc comment. */
export interface DocBlock {
  /** Path and line, for the name of a test. */
  readonly place: string;
  /** Name of the function, class or constant that the comment belongs to. */
  readonly of: string;
  /** What follows the opening fence: `ts`, `marbles`. */
  readonly language: string;
  readonly lines: readonly string[];
}

const COMMENT = /\/\*\*[^]*?\*\//g;
const DECLARED = /^\s*export (?:declare )?(?:abstract )?(?:function\*?|class|const|interface|type) (\w+)/;

function blocksOf(file: string, comment: string, firstLine: number, name: string): DocBlock[] {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*) ?/, '').replace(/\s*\*\/$/, ''));
  const blocks: DocBlock[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  lines.forEach((line, at) => {
    const fence = /^```(\w*)\s*$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { language: fence[1] ?? '', line: firstLine + at, lines: [] };
    else {
      blocks.push({ place: `${file}:${open.line}`, of: name, language: open.language, lines: open.lines });
      open = undefined;
    }
  });
  return blocks;
}

/** Every fenced block in the doc comments of a TypeScript text that stand before an exported declaration. */
export function docBlocks(file: string, text: string): DocBlock[] {
  return [...text.matchAll(COMMENT)].flatMap((found) => {
    const name = DECLARED.exec(text.slice(found.index + found[0].length))?.[1];
    if (name === undefined) return [];
    return blocksOf(file, found[0], text.slice(0, found.index).split('\n').length, name);
  });
}

/** The blocks of all files of a folder. */
export function docBlocksIn(folder: string): DocBlock[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => docBlocks(name, readFileSync(join(folder, name), 'utf8')));
}
