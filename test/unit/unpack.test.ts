import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenFile } from '../../src/model/files.js';
import { nodeFiles } from '../../src/service/node-files.js';
import { withArchives } from '../../src/sources/tail/archive-file.js';
import { canUnpack, unpack } from '../../src/sources/tail/unpack.js';

const files = withArchives(nodeFiles, unpack);
const text = Buffer.from(Array.from({ length: 100_000 }, (_, at) => `${at} größer ${at * 7919}\n`).join(''));

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-unpack-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function opened(path: string): Promise<OpenFile> {
  return lastValueFrom(files.open(path, 'read'));
}

async function readAt(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length);
  return target.subarray(0, await lastValueFrom(file.read(target, position)));
}

/** Everything up to its end, and the code of what it ended with. */
async function drained(path: string): Promise<{ bytes: Buffer; code: unknown }> {
  const file = await opened(path);
  const parts: Buffer[] = [];
  let [position, code]: [number, unknown] = [0, undefined];
  try {
    for (let part = await readAt(file, 0, 100_000); part.length > 0; part = await readAt(file, position, 100_000)) {
      parts.push(part);
      position += part.length;
    }
  } catch (error) {
    ({ code } = error as { code: unknown });
  }
  await lastValueFrom(file.close(), { defaultValue: undefined });
  return { bytes: Buffer.concat(parts), code };
}

const zstd = (bytes: Uint8Array): Buffer => execFileSync('zstd', ['-c', '-q'], { input: bytes, maxBuffer: 1 << 26 });
const formats = [['gz', (bytes: Uint8Array) => gzipSync(bytes)] as const, ['zst', zstd] as const];

describe.each(formats)('.%s', (format, pack) => {
  const packs = it.runIf(canUnpack(format));

  packs('is read as what is in it, at any position, forwards and back', async () => {
    const file = await opened(written(`a.${format}`, pack(text)));
    for (const position of [0, 100, 70_000, 69_990, 2_000_000, 1_999_000, 10, text.length - 5]) {
      const expected = text.subarray(position, position + 3000);
      expect((await readAt(file, position, 3000)).equals(expected), String(position)).toBe(true);
    }
    expect(await readAt(file, text.length, 10)).toHaveLength(0);
    expect(await readAt(file, text.length + 100, 10)).toHaveLength(0);
    expect(await readAt(file, text.length - 3, 10)).toHaveLength(3);
    await lastValueFrom(file.close(), { defaultValue: undefined });
  });

  packs('of several members is all of them', async () => {
    const path = written(`a.${format}`, Buffer.concat([pack(text), pack(Buffer.from('x\n')), pack(text)]));
    const { bytes, code } = await drained(path);
    expect(code).toBeUndefined();
    expect(bytes.equals(Buffer.concat([text, Buffer.from('x\n'), text]))).toBe(true);
  });

  packs.each([0.1, 0.5, 0.9, 0.999])('that ends after %d of it gives what there is, then its error', async (share) => {
    const packed = pack(text);
    const { bytes, code } = await drained(
      written(`a.${format}`, packed.subarray(0, Math.floor(packed.length * share))),
    );
    expect(code).toBe('MILLRACE_E_ARCHIVE_DAMAGED');
    expect(bytes.length).toBeGreaterThan(text.length * (share - 0.35));
    expect(text.subarray(0, bytes.length).equals(bytes)).toBe(true);
  });

  packs('that is damaged gives its error, once and again', async () => {
    const packed = Buffer.from(pack(text));
    const middle = Math.floor(packed.length / 2);
    packed.fill(0x55, middle, middle + 1000);
    const path = written(`a.${format}`, packed);
    const { bytes, code } = await drained(path);
    expect(code).toBe('MILLRACE_E_ARCHIVE_DAMAGED');
    expect(bytes.length).toBeGreaterThan(text.length * 0.2);
    const file = await opened(path);
    await expect(readAt(file, text.length, 10)).rejects.toThrow('damaged');
    await expect(readAt(file, text.length, 10)).rejects.toThrow('damaged');
    await lastValueFrom(file.close(), { defaultValue: undefined });
  });

  packs('that is something else is damaged', async () => {
    expect((await drained(written(`a.${format}`, text))).code).toBe('MILLRACE_E_ARCHIVE_DAMAGED');
  });

  packs('that is a bomb takes no more memory than a block', { timeout: 30_000 }, async () => {
    const file = await opened(written(`a.${format}`, pack(Buffer.alloc(200 * 1024 * 1024))));
    global.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    expect(await readAt(file, 100 * 1024 * 1024, 10)).toEqual(Buffer.alloc(10));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    await lastValueFrom(file.close(), { defaultValue: undefined });
  });
});

it('zeros after a gzip member are no content; what else follows is damage', async () => {
  const packed = gzipSync(text);
  const padded = await drained(written('a.gz', Buffer.concat([packed, Buffer.alloc(600)])));
  expect([padded.bytes.equals(text), padded.code]).toEqual([true, undefined]);
  const followed = await drained(written('a.gz', Buffer.concat([packed, Buffer.from('garbage garbage')])));
  expect(followed.code).toBe('MILLRACE_E_ARCHIVE_DAMAGED');
  expect(followed.bytes.length).toBeGreaterThan(text.length - 32 * 1024);
});
