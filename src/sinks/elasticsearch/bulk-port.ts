import type { Observable } from 'rxjs';
import type { Json } from '../../model/json.js';
import type { BulkItem } from './answers.js';

/** What the sink needs of a cluster. Errors are MILLRACE_E_ELASTICSEARCH_…; nothing is tried again. */
export interface BulkPort {
  /** Sends a bulk body; emits what became of its items, in their order. */
  bulk(body: string): Observable<readonly BulkItem[]>;
  /** Installs an index template unless there is one of that name. */
  putTemplate(name: string, body: Json): Observable<'installed' | 'there'>;
  close(): void;
}
