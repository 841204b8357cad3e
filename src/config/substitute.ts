/** What a configuration may read besides its own text. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The content of a file; throws if it cannot be read. */
  readonly readSecret: (path: string) => string;
}

/** A text with its references replaced. */
export interface Substitution {
  readonly text: string;
  /** Whether anything was replaced: the text may hold a secret. */
  readonly substituted: boolean;
  /** Whether the text was one reference and nothing else. */
  readonly whole: boolean;
  /** What is wrong with the references. */
  readonly faults: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const VARIABLE = /^([A-Za-z_]\w*)(?::-(.*))?$/s;
const FORMS = '${NAME}, ${NAME:-default} or ${file:/path}; $${ is a literal ${';

class Unresolved extends Error {}

function contentOf(path: string, { readSecret }: Environment): string {
  try {
    // Editors and `echo` end a file with a newline that is no part of the secret.
    return readSecret(path).replace(/\r?\n$/, '');
  } catch (error) {
    // Only the code: who wrote readSecret may have put anything into the message.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new Unresolved(`expected the file ${path} to be readable${code}`);
  }
}

/** As in the shell: a default also stands in for an empty variable. */
function resolveReference(body: string, environment: Environment): string {
  if (body.startsWith('file:') && body.length > 5) return contentOf(body.slice(5), environment);
  const [, name, fallback] = VARIABLE.exec(body) ?? [];
  if (name === undefined || body.includes('${')) throw new Unresolved(`expected ${FORMS}`);
  // The prototype's properties are no variables.
  const value = Object.hasOwn(environment.env, name) ? environment.env[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value === undefined) throw new Unresolved(`expected the environment variable ${name} to be set`);
  return value;
}

/** Replaces `${NAME}`, `${NAME:-default}` and `${file:/path}`, once: what a value holds is not looked at again. */
export function substitute(text: string, environment: Environment): Substitution {
  const faults: string[] = [];
  let substituted = false;
  const replaced = text.replace(REFERENCE, (reference, body?: string) => {
    if (reference === '$${') return '${';
    substituted = true;
    try {
      return resolveReference(body ?? '', environment);
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      faults.push(error.message);
      return reference;
    }
  });
  // What begins with `${` begins with a reference: the literal begins with `$$`.
  const whole = /^\$\{[^}]*\}$/.test(text);
  return { text: replaced, substituted, whole, faults };
}

const INDICATORS = '{}[],';
// Unicode keeps these code points free for use inside a program.
const STAND_INS = '\uFDD0\uFDD1\uFDD2\uFDD3\uFDD4';

/** Hides from YAML what has a meaning to it in `{ path: ${OUT} }`. The length stays, and so does every position. */
export function maskReferences(yaml: string): string {
  // Not across a quote: `"${", "}"` are two texts, and inside of quotes nothing needs hiding.
  return yaml.replace(/\$\{[^}"'\r\n]*\}/g, (reference) =>
    reference.replace(/[{}[\],]/g, (each) => STAND_INS.charAt(INDICATORS.indexOf(each))),
  );
}

export function unmask(text: string): string {
  return text.replace(/[\uFDD0-\uFDD4]/g, (each) => INDICATORS.charAt(STAND_INS.indexOf(each)));
}
