import { catchError, finalize, merge, mergeMap, Observable, of } from 'rxjs';
import type { Subscriber } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Delivery, Receipt, Sink, SinkContext, SinkResource } from '../../model/sink.js';
import type { BulkPort } from './bulk-port.js';
import { Bulks } from './bulks.js';
import type { BulkCodec } from './bulks.js';
import type { ElasticsearchSinkOptions } from './options.js';
import { Progress } from './progress.js';
import type { Entry } from './progress.js';
import { templateFor } from './template.js';

/**
 * Batches of a lane that may be under way side by side: the id keeps them apart, not the order. Many, for a batch may be
 * a single line, and all that came while a request was under way are the next one. Demand bounds what they hold.
 */
const IN_FLIGHT_PER_LANE = 256;

/** It may not be installed, or does not go with those that are there. */
const WITHOUT_TEMPLATE: readonly string[] = ['MILLRACE_E_ELASTICSEARCH_DENIED', 'MILLRACE_E_ELASTICSEARCH_REFUSED'];

/**
 * Indexes items in Elasticsearch by bulk requests, each item with `create` and its id, so that one that comes again is
 * there already and counts as a duplicate.
 *
 * - a request is sent as soon as one may be: what arrives meanwhile is the next one. How many may be under way follows
 *   how busy the cluster is.
 * - what the cluster does not take now (429, 5xx, 401, 403, no such index) is sent again: at once, before what waits, as
 *   long as each time half of what is missing is taken; else the delivery fails with a transient error and, tried again,
 *   sends only what is missing. What it will never take (400) is refused.
 * - a request that is too large is halved, down to the item that is.
 * - memory: the texts of the deliveries that are under way, which demand bounds.
 */
export function elasticsearchSink<T>(
  options: Pick<
    ElasticsearchSinkOptions,
    'nodes' | 'index' | 'template' | 'maxBulkBytes' | 'maxBulkItems' | 'maxInFlight'
  >,
  codec: BulkCodec<T>,
  connected: Observable<BulkPort>,
): SinkResource<T> {
  return {
    name: `elasticsearch ${options.nodes.map(withoutPassword).join(', ')}`,
    open: (context) =>
      connected.pipe(
        mergeMap((port) =>
          installed(options, port, context).pipe(
            mergeMap(() => {
              const sink = new ElasticsearchSink(new Bulks(port, codec, options));
              // Whoever gets it may deliver at once.
              return merge(sink.work, of(sink));
            }),
            finalize(() => port.close()),
          ),
        ),
      ),
  };
}

/** An address as it may be shown. */
function withoutPassword(node: string): string {
  const url = new URL(node);
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}

/** Emits once, when the template is there, or may not be. */
function installed(
  { template, index }: Pick<ElasticsearchSinkOptions, 'template' | 'index'>,
  port: BulkPort,
  { report }: SinkContext,
): Observable<unknown> {
  if (!template) return of(undefined);
  const { name, body } = templateFor(index);
  return port.putTemplate(name, body).pipe(
    catchError((error: unknown) => {
      if (!(error instanceof MillraceError) || !WITHOUT_TEMPLATE.includes(error.code)) throw error;
      const message = `the index template ${name} is not installed, the cluster's own mapping counts: ${messageOf(error)}`;
      report({ level: 'warn', message, code: error.code });
      return of(undefined);
    }),
  );
}

class ElasticsearchSink<T> implements Sink<T> {
  readonly inFlightPerLane = IN_FLIGHT_PER_LANE;
  readonly usesArrivals = true;
  readonly #bulks: Bulks<T>;
  /** How far deliveries have come that failed in part, and will be tried again. */
  readonly #begun = new WeakMap<Delivery<T>, Progress<T>>();

  constructor(bulks: Bulks<T>) {
    this.#bulks = bulks;
  }

  /** Sends while it is subscribed; emits nothing. */
  get work(): Observable<never> {
    return this.#bulks.work;
  }

  deliver(delivery: Delivery<T>): Observable<Receipt<T>> {
    return new Observable((subscriber: Subscriber<Receipt<T>>) => {
      const progress = this.#begun.get(delivery) ?? new Progress(delivery.items);
      this.#begun.set(delivery, progress);
      const begun = (): readonly Entry<T>[] => {
        const { pending } = progress;
        return progress.begin((error) => {
          if (error === undefined) {
            subscriber.next(progress.receipt);
            subscriber.complete();
          } else if (progress.pending * 2 <= pending) this.#bulks.again(begun());
          else subscriber.error(error);
        });
      };
      this.#bulks.add(begun());
      return () => progress.abandon();
    });
  }
}
