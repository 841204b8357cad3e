import { gunzipSync, constants } from 'node:zlib';
import { defer, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../src/model/errors.js';
import type { OpenFile } from '../../src/model/files.js';
import type { Unpacked } from '../../src/sources/tail/archive-file.js';

const MAX_BYTES = 1024 * 1024;

/** Unpacks within one call of a fake file, so that it takes virtual time only; comes out in blocks of a few bytes. */
export function fakeUnpack(file: OpenFile, blockBytes = 1000): Unpacked {
  let content: Buffer | undefined;
  let isDamaged = false;
  let position = 0;
  const load = (): Observable<Buffer> => {
    const packed = Buffer.alloc(MAX_BYTES);
    return file.read(packed, 0).pipe(
      map((count) => {
        const bytes = packed.subarray(0, count);
        isDamaged = !isGzip(bytes);
        content = unpackedPart(bytes);
        return content;
      }),
    );
  };
  return {
    next: () =>
      defer(() => (content === undefined ? load() : of(content))).pipe(
        map((all) => {
          const block = all.subarray(position, position + blockBytes);
          position += block.length;
          if (block.length > 0) return block;
          if (isDamaged) throw new MillraceError('MILLRACE_E_ARCHIVE_DAMAGED');
          return undefined;
        }),
      ),
    close: () => undefined,
  };
}

function isGzip(bytes: Buffer): boolean {
  try {
    gunzipSync(bytes);
    return true;
  } catch {
    return false;
  }
}

/** As much as there is of an archive that is not complete. */
function unpackedPart(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}
