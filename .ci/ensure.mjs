// What every npm script needs first: dependencies as locked, dist/ as new as src/. No dependencies of its own and
// nothing newer than Node 20, because in a fresh clone it runs before anything is installed.
//   node .ci/ensure.mjs             install and build when needed
//   node .ci/ensure.mjs --install   install when needed
//   node .ci/ensure.mjs --rebuild   install when needed, build always
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...path) => join(root, ...path);
const read = (path) => readFileSync(path, 'utf8');

/** Every locked package is installed in its locked version; an optional one of another platform may be absent. */
function isInstalled() {
  try {
    const wanted = JSON.parse(read(at('package-lock.json'))).packages;
    const installed = JSON.parse(read(at('node_modules/.package-lock.json'))).packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      if (path === '') return true;
      const found = installed[path];
      if (found === undefined) return optional === true;
      return found.version === version && found.integrity === integrity && (optional || existsSync(at(path)));
    });
  } catch {
    return false;
  }
}

/** Path, size and time of everything the build reads: edited, added, renamed or deleted files all change it. */
function fingerprint() {
  const sources = readdirSync(at('src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const settings = readdirSync(root).filter((name) => /^(tsconfig.*|package-lock)\.json$/.test(name));
  const hash = createHash('sha256');
  for (const path of [...sources, ...settings.map((name) => at(name))].sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function run(what, command, args, env) {
  process.stderr.write(`ensure: ${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) return true;
  process.stderr.write(`ensure: ${what} failed${error ? `: ${error.message}` : ''}\n`);
  process.exitCode = 1;
  return false;
}

function install() {
  // npm must not run on the Node inside the node_modules it is about to replace.
  const bins = at('node_modules');
  const path = (process.env.PATH ?? '').split(delimiter).filter((dir) => !resolve(dir).startsWith(bins));
  const env = { ...process.env, PATH: path.join(delimiter) };
  return run('installing dependencies (npm ci)', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], env);
}

function build(stamp) {
  // Built beside and moved into place: a failed build leaves no half of one, a running process sees old or new.
  const next = at('node_modules/.cache', `dist-${process.pid}`);
  const tsc = at('node_modules/typescript/bin/tsc');
  rmSync(next, { recursive: true, force: true });
  if (run('building dist/', process.execPath, [tsc, '-p', at('tsconfig.build.json'), '--outDir', next])) {
    writeFileSync(join(next, '.stamp'), stamp);
    rmSync(at('dist'), { recursive: true, force: true });
    renameSync(next, at('dist'));
  }
  rmSync(next, { recursive: true, force: true });
}

const ready = isInstalled() || install();
if (ready && !process.argv.includes('--install') && existsSync(at('src'))) {
  const stamp = fingerprint();
  const built = existsSync(at('dist/.stamp')) ? read(at('dist/.stamp')) : '';
  if (built !== stamp || process.argv.includes('--rebuild')) build(stamp);
}
