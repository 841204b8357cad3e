import type { Observable } from 'rxjs';

/**
 * A schema registry as a port. Errors: MILLRACE_E_KAFKA_SCHEMA, it is there and will not have it or does not know it;
 * MILLRACE_E_KAFKA_REGISTRY, transient, it does not answer.
 */
export interface Schemas {
  /** Emits what decodes values written by the schema of this number, without the five bytes that say which it is. */
  reader(id: number): Observable<(bytes: Uint8Array) => unknown>;
  /** Registers an Avro schema under a subject; emits what encodes values by it, with the five bytes. */
  writer(subject: string, schema: object): Observable<(value: unknown) => Uint8Array>;
}
