import { catchError, concat, defer, EMPTY, ignoreElements, map, mergeMap, Subject, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import { answerOf } from './answers.js';
import type { Answer, BulkItem } from './answers.js';
import type { BulkPort } from './bulk-port.js';
import { Concurrency } from './concurrency.js';
import type { Entry } from './progress.js';

/** How items become documents. */
export interface BulkCodec<T> {
  /** Made once per sink. Gives the two lines of a bulk request for an item, each with its line end. */
  encoder(): (item: T) => string;
}

/** How much goes into a request, and how many at a time. */
interface BulkLimits {
  readonly maxBulkBytes: number;
  readonly maxBulkItems: number;
  readonly maxInFlight: number;
}

interface Bulk<T> {
  readonly entries: readonly Entry<T>[];
  readonly texts: readonly string[];
}

const TOO_MUCH: readonly string[] = ['MILLRACE_E_ELASTICSEARCH_TOO_LARGE', 'MILLRACE_E_ELASTICSEARCH_REFUSED'];

/** The queue of a cluster: items of all lanes, in requests that are sent as soon as one may be. */
export class Bulks<T> {
  readonly #port: BulkPort;
  readonly #encode: (item: T) => string;
  readonly #limits: BulkLimits;
  readonly #concurrency: Concurrency;
  readonly #bulks = new Subject<Bulk<T>>();
  #queue: Entry<T>[] = [];
  #head = 0;
  #inFlight = 0;

  constructor(port: BulkPort, codec: BulkCodec<T>, limits: BulkLimits) {
    this.#port = port;
    this.#encode = codec.encoder();
    this.#limits = limits;
    this.#concurrency = new Concurrency(limits.maxInFlight);
  }

  /** Sends while it is subscribed. */
  get work(): Observable<never> {
    return this.#bulks.pipe(
      // How many there are is decided where they are made.
      mergeMap((bulk) => this.#run(bulk), this.#limits.maxInFlight),
      ignoreElements(),
    );
  }

  add(entries: readonly Entry<T>[]): void {
    for (const entry of entries) this.#queue.push(entry);
    this.#pump();
  }

  /** Before all that waits: what began first ends first, and its lane's position moves. */
  again(entries: readonly Entry<T>[]): void {
    this.#queue = [...entries, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    this.#pump();
  }

  #pump(): void {
    while (this.#inFlight < this.#concurrency.limit) {
      const bulk = this.#next();
      if (bulk === undefined) return;
      this.#inFlight++;
      this.#bulks.next(bulk);
    }
  }

  /** As much of the queue as fits into a request, at least one item. */
  #next(): Bulk<T> | undefined {
    const { maxBulkBytes, maxBulkItems } = this.#limits;
    const entries: Entry<T>[] = [];
    const texts: string[] = [];
    let bytes = 0;
    while (this.#head < this.#queue.length && entries.length < maxBulkItems && bytes < maxBulkBytes) {
      const entry = this.#queue[this.#head];
      if (entry === undefined) break;
      if (!entry.progress.isAbandoned) {
        const text = this.#encode(entry.item);
        const size = Buffer.byteLength(text);
        if (entries.length > 0 && bytes + size > maxBulkBytes) break;
        entries.push(entry);
        texts.push(text);
        bytes += size;
      }
      this.#head++;
    }
    // What was sent is dropped now and then, not by a copy of the rest for each request.
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return entries.length === 0 ? undefined : { entries, texts };
  }

  #run(bulk: Bulk<T>): Observable<unknown> {
    return concat(
      this.#send(bulk),
      defer(() => {
        this.#inFlight--;
        this.#pump();
        return EMPTY;
      }),
    );
  }

  /** Completes when every item of it has its answer. Never errors: the answers say what went wrong. */
  #send(bulk: Bulk<T>): Observable<unknown> {
    const { entries, texts } = bulk;
    return defer(() => this.#port.bulk(texts.join(''))).pipe(
      map((items) => this.#answersOf(items, entries.length)),
      tap((answers) => answerAll(entries, answers)),
      catchError((error: unknown) => this.#failed(bulk, error)),
    );
  }

  #answersOf(items: readonly BulkItem[], count: number): readonly Answer[] {
    if (items.length !== count) {
      throw new MillraceError('MILLRACE_E_ELASTICSEARCH_BUSY', `${items.length} answers for ${count} items`);
    }
    const answers = items.map(answerOf);
    if (answers.some(({ kind }) => kind === 'retry')) this.#concurrency.busy();
    else this.#concurrency.well();
    return answers;
  }

  #failed({ entries, texts }: Bulk<T>, error: unknown): Observable<unknown> {
    const reason = error instanceof MillraceError ? error : undefined;
    if (reason !== undefined && TOO_MUCH.includes(reason.code)) {
      if (entries.length === 1) {
        answerAll(entries, [{ kind: 'refused', reason }]);
        return EMPTY;
      }
      const half = entries.length >> 1;
      return concat(
        this.#send({ entries: entries.slice(0, half), texts: texts.slice(0, half) }),
        this.#send({ entries: entries.slice(half), texts: texts.slice(half) }),
      );
    }
    this.#concurrency.busy();
    const answer: Answer = { kind: 'retry', reason: error instanceof Error ? error : new Error(String(error)) };
    answerAll(
      entries,
      entries.map(() => answer),
    );
    return EMPTY;
  }
}

function answerAll<T>(entries: readonly Entry<T>[], answers: readonly Answer[]): void {
  entries.forEach(({ progress, index }, at) => {
    const answer = answers[at];
    if (answer !== undefined) progress.answer(index, answer);
  });
}
