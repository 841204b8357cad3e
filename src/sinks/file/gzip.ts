import { gzip } from 'node:zlib';
import { Observable } from 'rxjs';

/** Compresses a block to a complete gzip member; members one after the other are a gzip file. */
export type GzipBlock = (block: Uint8Array) => Observable<Uint8Array>;

/** On zlib's threads. Unsubscribing does not take it back. */
export const gzipBlock: GzipBlock = (block) =>
  new Observable((subscriber) => {
    gzip(block, (error, compressed) => {
      if (error !== null) {
        subscriber.error(error);
        return;
      }
      subscriber.next(compressed);
      subscriber.complete();
    });
  });
