import { EMPTY, map, mergeMap, NEVER, Observable, of, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { leg } from '../../../src/flow/leg.js';
import { MillraceError } from '../../../src/model/errors.js';
import type { Delivery, Receipt, Sink, SinkContext } from '../../../src/model/sink.js';
import type { BulkItem } from '../../../src/sinks/elasticsearch/answers.js';
import type { BulkPort } from '../../../src/sinks/elasticsearch/bulk-port.js';
import { elasticsearchSink } from '../../../src/sinks/elasticsearch/elasticsearch-sink.js';
import { marbles } from '../../marbles.js';

const limits = { maxBulkBytes: 1000, maxBulkItems: 4, maxInFlight: 1 };
const codec = { encoder: () => (item: string) => `${item}\n` };
const created: BulkItem = { status: 201 };

/** A cluster that answers each request as it is told, and keeps what it was sent. */
class Cluster implements BulkPort {
  readonly bodies: string[] = [];
  readonly #answer: (items: readonly string[], at: number) => Observable<readonly BulkItem[]>;
  putTemplate: BulkPort['putTemplate'] = () => of('installed');
  isClosed = false;

  constructor(answer: (items: readonly string[], at: number) => Observable<readonly BulkItem[]>) {
    this.#answer = answer;
  }

  bulk(body: string): Observable<readonly BulkItem[]> {
    this.bodies.push(body.replaceAll('\n', ''));
    return this.#answer(body.trim().split('\n'), this.bodies.length - 1);
  }

  close(): void {
    this.isClosed = true;
  }
}

function deliveryOf(letters: string, lane = 'l'): Delivery<string> {
  return { lane, position: letters.length, items: letters.split('') };
}

function opened(cluster: Cluster, changes: Partial<typeof limits> = {}, reports: string[] = []): Sink<string> {
  let sink: Sink<string> | undefined;
  elasticsearchSink(
    { nodes: ['http://me:secret@host:9200'], index: 'logs', template: true, ...limits, ...changes },
    codec,
    of(cluster),
  )
    .open(context((message) => reports.push(message)))
    .subscribe({ next: (open) => (sink = open), error: (error: unknown) => reports.push(String(error)) });
  return sink!;
}

function context(say: (message: string) => void): SinkContext {
  return { pipeline: 'p', leg: 'l', saved: undefined, save: NEVER, report: ({ message }) => say(message) };
}

function outcome(sink: Sink<string>, delivery: Delivery<string>): { receipt?: Receipt<string>; error?: unknown } {
  const seen: { receipt?: Receipt<string>; error?: unknown } = {};
  sink.deliver(delivery).subscribe({
    next: (receipt) => (seen.receipt = receipt),
    error: (error: unknown) => (seen.error = error),
  });
  return seen;
}

const all = (items: readonly string[]): BulkItem[] => items.map(() => created);

describe('elasticsearchSink', () => {
  it('counts the bytes of a request, not its characters', () => {
    const cluster = new Cluster((items) => of(all(items)));
    outcome(opened(cluster, { maxBulkBytes: 8, maxInFlight: 2 }), {
      lane: 'l',
      position: 4,
      items: ['ab', 'cd', '日', '本'],
    });
    // Two and a line end each: 3 + 3; 4 + 4, for a sign takes three bytes.
    expect(cluster.bodies).toEqual(['abcd', '日本']);
    const half = new Cluster((items) => of(all(items)));
    outcome(opened(half, { maxBulkBytes: 7, maxInFlight: 2 }), { lane: 'l', position: 2, items: ['日', '本'] });
    expect(half.bodies).toEqual(['日', '本']);
  });

  it(
    'takes what is delivered in the instant in which it is open: a mirror has waited for it',
    marbles(({ expectObservable }) => {
      const limited = { nodes: ['http://host:9200'], index: 'logs', template: false, ...limits };
      const resource = elasticsearchSink(limited, codec, of(new Cluster((items) => of(all(items)))));
      const receipts = resource.open(context(() => undefined)).pipe(mergeMap((sink) => sink.deliver(deliveryOf('ab'))));
      expectObservable(receipts.pipe(map(({ delivered }) => delivered))).toBe('x', { x: 2 });
    }),
  );

  it(
    'sends at once when it may; what arrives meanwhile is the next request',
    marbles(({ cold, time, expectObservable, flush }) => {
      const deliveries = cold(' a-b-c---------|');
      const answer = time('    -----|         ');
      const expected = '       -----a----(bc)|';
      const cluster = new Cluster((items) => timer(answer).pipe(map(() => all(items))));
      const sink = opened(cluster);
      const receipts = deliveries.pipe(
        mergeMap((letter) => sink.deliver(deliveryOf(letter)).pipe(map(() => letter)), Infinity),
      );
      expectObservable(receipts).toBe(expected);
      flush();
      expect(cluster.bodies).toEqual(['a', 'bc']);
    }),
  );

  it(
    'everything of a lane that came while a request was under way is in the next one',
    marbles(({ cold, time, expectObservable, flush }) => {
      const deliveries = cold(' abcdefgh--------|').pipe(map((letter) => deliveryOf(letter)));
      const answer = time('    --------|        ');
      const expected = '       --------r-------(rrrrrrr|)';
      const cluster = new Cluster((items) => timer(answer).pipe(map(() => all(items))));
      const sink = opened(cluster, { maxBulkItems: 100 });
      expectObservable(
        deliveries.pipe(
          leg(sink, { policy: {} }),
          map(() => 'r'),
        ),
      ).toBe(expected);
      flush();
      expect(cluster.bodies).toEqual(['a', 'bcdefgh']);
    }),
  );

  it('cuts requests by count and by bytes; an item that is larger goes alone', () => {
    const cluster = new Cluster((items) => of(all(items)));
    outcome(opened(cluster), deliveryOf('abcdefghi'));
    expect(cluster.bodies).toEqual(['abcd', 'efgh', 'i']);
    const narrow = new Cluster((items) => of(all(items)));
    const long = 'x'.repeat(20);
    outcome(opened(narrow, { maxBulkBytes: 6 }), { lane: 'l', position: 1, items: ['a', 'b', 'c', 'd', long, 'e'] });
    expect(narrow.bodies).toEqual(['abc', 'd', long, 'e']);
  });

  it('409 is a duplicate, 400 is refused with the reason, and neither holds up the others', () => {
    const status: Record<string, BulkItem> = {
      b: { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'exists' } },
      c: {
        status: 400,
        error: { type: 'document_parsing_exception', reason: 'no number', caused_by: { reason: 'x' } },
      },
    };
    const cluster = new Cluster((items) => of(items.map((item) => status[item] ?? created)));
    const { receipt } = outcome(opened(cluster), deliveryOf('abcd'));
    expect(receipt).toMatchObject({ delivered: 2, duplicates: 1 });
    expect(receipt?.refused).toMatchObject([{ item: 'c', reason: { code: 'MILLRACE_E_ELASTICSEARCH_REFUSED' } }]);
    expect(receipt?.refused[0]?.reason.message).toContain('400, document_parsing_exception: no number; x');
  });

  it('sends again only the items that the cluster was too busy for: at once while half are taken, else with back-off', () => {
    const answers: Record<string, string> = { abcd: 'bd', bd: 'd' };
    const cluster = new Cluster((items, at) =>
      of(items.map((item) => (at < 3 && (answers[items.join('')] ?? 'd').includes(item) ? { status: 429 } : created))),
    );
    const sink = opened(cluster);
    const delivery = deliveryOf('abcd');
    expect(outcome(sink, delivery).error).toMatchObject({ code: 'MILLRACE_E_ELASTICSEARCH_BUSY', transient: true });
    expect(cluster.bodies).toEqual(['abcd', 'bd', 'd']);
    expect(outcome(sink, delivery).receipt).toEqual({ delivered: 4, duplicates: 0, refused: [] });
    expect(cluster.bodies).toEqual(['abcd', 'bd', 'd', 'd']);
  });

  it('a cluster that takes one item of many is not asked again at once', () => {
    const cluster = new Cluster((items) => of(items.map((_, nth) => (nth > 0 ? { status: 429 } : created))));
    const sink = opened(cluster);
    const delivery = deliveryOf('abc');
    expect(outcome(sink, delivery).error).toMatchObject({ transient: true });
    expect(cluster.bodies).toEqual(['abc']);
    expect(outcome(sink, delivery).receipt).toEqual({ delivered: 3, duplicates: 0, refused: [] });
    expect(cluster.bodies).toEqual(['abc', 'bc', 'c']);
  });

  it(
    'what is sent again goes before what waits',
    marbles(({ cold, time, flush }) => {
      const deliveries = cold('abc-----------|');
      const answer = time('    --|           ');
      const cluster = new Cluster((items, at) =>
        timer(answer).pipe(map(() => items.map((_, nth) => (at === 0 && nth === 1 ? { status: 429 } : created)))),
      );
      const sink = opened(cluster, { maxBulkItems: 2 });
      deliveries
        .pipe(mergeMap((letter) => sink.deliver(deliveryOf(letter + letter.toUpperCase())), Infinity))
        .subscribe();
      flush();
      expect(cluster.bodies).toEqual(['aA', 'Ab', 'Bc', 'C']);
    }),
  );

  it(
    'the leg tries again with back-off until everything is answered',
    marbles(({ cold, expectObservable, flush }) => {
      const deliveries = cold(' a|       ').pipe(map(() => deliveryOf('abc')));
      const expected = '       ------(r|)';
      const cluster = new Cluster((items, at) =>
        of(items.map((item) => (item === 'b' && at < 3 ? { status: 503 } : created))),
      );
      const policy = { initialMs: 2, jitter: 0 } as const;
      expectObservable(deliveries.pipe(leg(opened(cluster), { policy }))).toBe(expected, {
        r: { delivered: 3, duplicates: 0, refused: [] },
      });
      flush();
      expect(cluster.bodies).toEqual(['abc', 'b', 'b', 'b']);
    }),
  );

  it.each([401, 403, 404])('%d for an item is never acknowledged and never a dead letter', (status) => {
    const cluster = new Cluster((items) => of(items.map(() => ({ status }))));
    const { receipt, error } = outcome(opened(cluster), deliveryOf('a'));
    expect(receipt).toBeUndefined();
    expect(error).toMatchObject({ transient: true });
  });

  it('halves a request that is too large, down to the item that is', () => {
    const tooLarge = new MillraceError('MILLRACE_E_ELASTICSEARCH_TOO_LARGE');
    const cluster = new Cluster((items) => (items.includes('X') ? throwError(() => tooLarge) : of(all(items))));
    const { receipt } = outcome(opened(cluster), deliveryOf('abXc'));
    expect(receipt).toEqual({ delivered: 3, duplicates: 0, refused: [{ item: 'X', reason: tooLarge }] });
    expect(cluster.bodies).toEqual(['abXc', 'ab', 'Xc', 'X', 'c']);
  });

  it('a request that fails as a whole fails every delivery in it, and nothing is acknowledged', () => {
    const away = new MillraceError('MILLRACE_E_ELASTICSEARCH_UNREACHABLE');
    const cluster = new Cluster((items, at) => (at === 0 ? throwError(() => away) : of(all(items))));
    const sink = opened(cluster);
    const delivery = deliveryOf('ab');
    expect(outcome(sink, delivery)).toEqual({ error: away });
    expect(outcome(sink, delivery).receipt?.delivered).toBe(2);
  });

  it('fewer answers than items acknowledge nothing', () => {
    const cluster = new Cluster((items) => of(all(items.slice(1))));
    expect(outcome(opened(cluster), deliveryOf('ab')).error).toMatchObject({ code: 'MILLRACE_E_ELASTICSEARCH_BUSY' });
  });

  it('what nobody waits for any more is not sent', () => {
    const cluster = new Cluster(() => NEVER);
    const sink = opened(cluster);
    const first = sink.deliver(deliveryOf('a')).subscribe();
    const second = sink.deliver(deliveryOf('b')).subscribe();
    second.unsubscribe();
    first.unsubscribe();
    expect(cluster.bodies).toEqual(['a']);
  });

  it('goes down to one request at a time when the cluster is busy, and up again when all goes well', () => {
    const pending: ((items: readonly BulkItem[]) => void)[] = [];
    const cluster = new Cluster(
      () =>
        new Observable((subscriber) => {
          pending.push((items) => {
            subscriber.next(items);
            subscriber.complete();
          });
        }),
    );
    const sink = opened(cluster, { maxBulkItems: 1, maxInFlight: 3 });
    outcome(sink, deliveryOf('abcdefgh'));
    expect(pending).toHaveLength(2);
    pending[0]!([{ status: 429 }]);
    pending[1]!([created]);
    // One may be under way, and one more after it went well.
    expect(cluster.bodies.length).toBe(4);
    pending[2]!([created]);
    pending[3]!([created]);
    pending[4]!([created]);
    expect(cluster.bodies.length).toBeGreaterThanOrEqual(7);
  });

  it('shows no password in its name, and closes the connection with the pipeline', () => {
    const cluster = new Cluster(() => EMPTY);
    const resource = elasticsearchSink(
      { nodes: ['http://me:secret@host:9200'], index: 'logs', template: false, ...limits },
      codec,
      of(cluster),
    );
    expect(resource.name).toBe('elasticsearch http://host:9200');
    resource
      .open(context(() => undefined))
      .subscribe()
      .unsubscribe();
    expect(cluster.isClosed).toBe(true);
  });

  it.each(['MILLRACE_E_ELASTICSEARCH_DENIED', 'MILLRACE_E_ELASTICSEARCH_REFUSED'] as const)(
    'goes on without the template when it gets %s, and says so',
    (code) => {
      const reports: string[] = [];
      const cluster = new Cluster((items) => of(all(items)));
      cluster.putTemplate = () => throwError(() => new MillraceError(code, 'why'));
      expect(outcome(opened(cluster, {}, reports), deliveryOf('a')).receipt?.delivered).toBe(1);
      expect(reports).toEqual([expect.stringMatching(/the index template millrace-logs is not installed.*why/)]);
    },
  );

  it('waits for a cluster that is not there', () => {
    const reports: string[] = [];
    const cluster = new Cluster((items) => of(all(items)));
    cluster.putTemplate = () => throwError(() => new MillraceError('MILLRACE_E_ELASTICSEARCH_UNREACHABLE'));
    expect(opened(cluster, {}, reports)).toBeUndefined();
    expect(reports).toHaveLength(1);
  });
});
