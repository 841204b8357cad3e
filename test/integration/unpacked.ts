import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** What a program said, and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which somebody has installed the packed millrace, and nothing else but an rxjs. */
export class Unpacked {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-pack-'));

  /** `rxjs`: the folder of node_modules that is installed as rxjs. */
  constructor(tarball: string, rxjs: string) {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, 'millrace'), { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'millrace')]);
    symlinkSync(join(root, 'node_modules', rxjs), join(modules, 'rxjs'));
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return join(this.folder, name);
  }

  /** Runs a program of the folder; `node` is an executable. */
  run(node: string, ...args: readonly string[]): Promise<Said> {
    return new Promise((done) => {
      // A test runner inside of this one must not take itself for a part of it.
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: '' };
      const child = execFile(node, args, { cwd: this.folder, env }, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr }),
      );
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Packs what is built; gives the path of the archive. */
export function packedInto(folder: string): string {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  return join(folder, execFileSync('npm', args, { cwd: root, encoding: 'utf8' }).trim());
}

/** This Node, and the machine's own: the first in PATH that is not this project's. */
export function nodes(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const env = { ...process.env, PATH: folders.join(delimiter) };
  const own = execFileSync('/bin/sh', ['-c', 'command -v node'], { env, encoding: 'utf8' }).trim();
  return [...new Set([process.execPath, own])];
}
