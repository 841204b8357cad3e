import { concat, defer, map, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../../model/sink.js';
import type { Transactions } from '../../model/transactions.js';
import type { Encode } from './messages.js';
import type { KafkaSinkOptions } from './options.js';
import { addressing, Partitions } from './parcel.js';

/**
 * A Kafka topic, exactly once for those who read what is committed: a delivery is staged, and written in the transaction
 * that commits the lane's position, when all other legs have it.
 *
 * - what is larger than Kafka takes is refused.
 * - memory: the messages that are not committed; demand bounds them.
 */
export function transactionalSink<T>(options: KafkaSinkOptions, encoder: Observable<Encode<T>>): SinkResource<T> {
  return {
    name: `kafka ${options.topic}`,
    open: ({ transactions }) =>
      defer(() => {
        if (transactions === undefined) throw new TypeError('a transactional sink needs a pipeline with transactions');
        return concat(encoder.pipe(map((encode) => stagingSink(options, encode, transactions))), NEVER);
      }),
  };
}

function stagingSink<T>({ maxMessageBytes }: KafkaSinkOptions, encode: Encode<T>, transactions: Transactions): Sink<T> {
  const { partitions, maxMessageBytes: ofTopic = Infinity } = transactions.topic;
  const address = addressing(encode, new Partitions(partitions), Math.min(maxMessageBytes, ofTopic));
  const deliver = ({ lane, position, items }: Delivery<T>): Receipt<T> => {
    const messages = [];
    const refused = [];
    for (const item of items) {
      const addressed = address(item);
      if (addressed instanceof MillraceError) refused.push({ item, reason: addressed });
      else messages.push(addressed);
    }
    transactions.stage({ lane, position, messages });
    return { delivered: messages.length, duplicates: 0, refused };
  };
  return { usesArrivals: true, deliver: (delivery): Observable<Receipt<T>> => defer(() => of(deliver(delivery))) };
}
