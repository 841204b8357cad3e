import { MillraceError, messageOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';

/** What DuckDB says, and which of our codes that is. The first that matches counts. */
const SIGNS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/Could not set lock on file/i, 'MILLRACE_E_STORE_LOCKED'],
  [
    /No space left on device|Disk quota exceeded|could not write all bytes|failed to offload|max_temp_directory_size/i,
    'MILLRACE_E_FILE_NO_SPACE',
  ],
  [/Permission denied|Operation not permitted/i, 'MILLRACE_E_FILE_PERMISSION'],
  [/EEXIST|ENOTDIR/, 'MILLRACE_E_FILE_NOT_FOLDER'],
  [/Read-only file system/i, 'MILLRACE_E_FILE_READ_ONLY'],
  [/Is a directory/i, 'MILLRACE_E_FILE_IS_DIRECTORY'],
  [/Too many open files/i, 'MILLRACE_E_FILE_TOO_MANY_OPEN'],
  [/No such file or directory|Not a directory/i, 'MILLRACE_E_FILE_NOT_FOUND'],
  [
    /not a valid DuckDB database file|Corrupt database|checksum|Failure while replaying WAL|Serialization Error|Failed to deserialize/i,
    'MILLRACE_E_STORE_DAMAGED',
  ],
  [/version number/i, 'MILLRACE_E_STORE_VERSION'],
  [/Out of Memory|failed to pin block/i, 'MILLRACE_E_STORE_MEMORY'],
  [/database has been invalidated|FATAL Error|INTERNAL Error/i, 'MILLRACE_E_STORE_BROKEN'],
  [/IO Error/i, 'MILLRACE_E_FILE_IO'],
];

/** An error of DuckDB with a code of ours; the pid of who has the file is in its message. */
export function storeError(error: unknown, path: string): Error {
  if (error instanceof MillraceError) return error;
  const says = messageOf(error).split('\n')[0] ?? '';
  const code = SIGNS.find(([sign]) => sign.test(says))?.[1];
  if (code === undefined) return error instanceof Error ? error : new Error(says);
  const pid = /\(PID (\d+)\)/.exec(says)?.[1];
  const detail = code === 'MILLRACE_E_STORE_LOCKED' && pid !== undefined ? `${path}, pid ${pid}` : `${path} (${says})`;
  return new MillraceError(code, detail, { cause: error });
}

/** After these the database has to be opened anew before it takes anything. */
export function mustReopen(error: unknown): boolean {
  const code = error instanceof MillraceError ? error.code : '';
  return code.startsWith('MILLRACE_E_STORE_') || code.startsWith('MILLRACE_E_FILE_');
}

/** What is in the file cannot be read any more. */
export function isDamage(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'MILLRACE_E_STORE_DAMAGED';
}
