import { MillraceError } from '../../model/errors.js';

/** What Elasticsearch says of one item of a bulk request. */
export interface BulkItem {
  readonly status: number;
  readonly error?: {
    readonly type?: string;
    readonly reason?: string;
    readonly caused_by?: { readonly reason?: string };
  };
}

/** What becomes of an item. */
export type Answer =
  | { readonly kind: 'delivered' | 'duplicate' }
  /** It will never be taken. */
  | { readonly kind: 'refused'; readonly reason: MillraceError }
  /** Not now. */
  | { readonly kind: 'retry'; readonly reason: Error };

const DELIVERED: Answer = { kind: 'delivered' };
const DUPLICATE: Answer = { kind: 'duplicate' };
const CONFLICT = 409;

/** A status that says: later. */
export function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

/** A status that says: not you. */
export function isDenied(status: number): boolean {
  return status === 401 || status === 403;
}

function detailOf({ status, error }: BulkItem): string {
  const { type = 'no type', reason = 'no reason', caused_by: cause } = error ?? {};
  return `${status}, ${type}: ${reason}${cause?.reason === undefined ? '' : `; ${cause.reason}`}`;
}

/**
 * 2xx: delivered. 409: it is there already, from before a crash or an answer that was lost. 429 and 5xx: this item again,
 * later. 401, 403, and 404 for an index that may not be made: again, and loudly. Everything else will never be taken.
 * Source: Elasticsearch, Bulk API, "response body".
 */
export function answerOf(item: BulkItem): Answer {
  const { status } = item;
  if (status >= 200 && status < 300) return DELIVERED;
  if (status === CONFLICT) return DUPLICATE;
  const retry = (code: 'BUSY' | 'DENIED' | 'NO_INDEX'): Answer => ({
    kind: 'retry',
    reason: MillraceError.ofRecord(`MILLRACE_E_ELASTICSEARCH_${code}`, detailOf(item)),
  });
  if (isBusy(status)) return retry('BUSY');
  if (isDenied(status)) return retry('DENIED');
  if (status === 404) return retry('NO_INDEX');
  return { kind: 'refused', reason: MillraceError.ofRecord('MILLRACE_E_ELASTICSEARCH_REFUSED', detailOf(item)) };
}
