const PARTS = /\*\*\/|\*\*|\*|\?|\{[^}]*\}|\[[^\]]*\]|[^*?{[]+|./gs;

function partOf(part: string): string {
  if (part === '**/') return '(?:.*/)?';
  if (part === '**') return '.*';
  if (part === '*') return '[^/]*';
  if (part === '?') return '[^/]';
  if (part.startsWith('{')) return `(?:${part.slice(1, -1).split(',').map(literal).join('|')})`;
  return part.startsWith('[') ? part : literal(part);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Whether a path matches one of the patterns: as much of a glob as tests need. */
export function globMatcher(patterns: readonly string[]): (path: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^${(pattern.match(PARTS) ?? []).map(partOf).join('')}$`));
  return (path) => expressions.some((expression) => expression.test(path));
}
