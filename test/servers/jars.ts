import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const POM = join(HERE, 'pom.xml');
const MAVEN_MS = 300_000;

/** A profile of the pom: the jars of one server, or of one part of it. */
export type JarSet = 'kafka' | 'elasticsearch' | 'elasticsearch-netty4';

/** Whether this machine can run servers from jars: JDK 17 or newer, and Maven. */
export function hasJavaAndMaven(): boolean {
  const { stdout, stderr } = spawnSync('javac', ['-version'], { encoding: 'utf8' });
  const major = /javac (\d+)/.exec(`${stdout}${stderr}`)?.[1];
  return Number(major ?? 0) >= 17 && spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status === 0;
}

/** The folder that holds the jars. Resolved by Maven the first time, then found. */
export function jarsOf(set: JarSet): string {
  return cached(set, [POM], (folder) => {
    const args = ['-q', '-B', '-f', POM, '-P', set, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
    execFileSync('mvn', args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: MAVEN_MS });
  });
}

/** The folder that holds a main class of ours, compiled against the jars. */
export function classesOf(set: JarSet, main: string): string {
  const sources = [join(HERE, `${main}.java`), join(HERE, 'ParentWatch.java')];
  return cached(`${set}-classes`, [POM, ...sources], (folder) => {
    execFileSync('javac', ['-nowarn', '-proc:none', '-cp', join(jarsOf(set), '*'), '-d', folder, ...sources]);
  });
}

/** A folder that is made once for all clones of this user; for other content of `from` it is another one. */
function cached(name: string, from: readonly string[], make: (folder: string) => void): string {
  const base = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace-test-servers');
  const hash = createHash('sha256');
  for (const path of from) hash.update(readFileSync(path));
  const folder = join(base, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(base, { recursive: true });
  const fresh = mkdtempSync(join(base, 'fresh-'));
  try {
    make(fresh);
    if (readdirSync(fresh).length === 0) throw new Error(`nothing came of ${name}`);
    renameSync(fresh, folder);
  } catch (error) {
    // Another run of the tests may have been quicker.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}
