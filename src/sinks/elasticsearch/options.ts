import { z } from 'zod';
import { indexPatternFault } from './index-name.js';

/** Where and how events are indexed. */
export interface ElasticsearchSinkOptions {
  /** Addresses of the cluster's nodes. */
  readonly nodes: readonly string[];
  /** The index of an event: a name with `{field}` and `{@timestamp:yyyy.MM.dd}` in it. */
  readonly index: string;
  readonly apiKey?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly ca?: string; readonly verify: boolean };
  /** Install an index template with the ECS mapping at start. */
  readonly template: boolean;
  /** The most bytes of a bulk request. */
  readonly maxBulkBytes: number;
  /** The most events of a bulk request. */
  readonly maxBulkItems: number;
  /** The most requests at a time; it goes down when the cluster is busy, and up again. */
  readonly maxInFlight: number;
  /** Milliseconds until a request that is not answered is sent again. */
  readonly requestTimeoutMs: number;
  /** Compress requests with gzip. */
  readonly compression: boolean;
}

const tls = z.strictObject({
  ca: z.string().min(1).exactOptional().describe('The certificate authority, PEM: "${file:/path/ca.pem}".'),
  verify: z.boolean().default(true).describe('Refuse a node whose certificate cannot be verified.'),
});

export const elasticsearchSinkOptions: z.ZodType<ElasticsearchSinkOptions> = z
  .strictObject({
    nodes: z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .describe("Addresses of the cluster's nodes: http://host:9200."),
    index: z
      .string()
      .superRefine((pattern, context) => {
        const fault = indexPatternFault(pattern);
        if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      })
      .default('millrace-{@timestamp:yyyy.MM.dd}')
      .describe('The index of an event: a name with {field} and {@timestamp:yyyy.MM.dd} in it.'),
    apiKey: z.string().min(1).exactOptional().describe('An API key, base64 as Elasticsearch shows it.'),
    username: z.string().min(1).exactOptional().describe('For basic authentication.'),
    password: z.string().exactOptional().describe('For basic authentication.'),
    tls: tls.exactOptional().describe('How nodes with https are verified.'),
    template: z.boolean().default(true).describe('Install an index template with the ECS mapping at start.'),
    maxBulkBytes: z
      .int()
      .min(1024)
      .max(104_857_600)
      .default(4_194_304)
      .describe('The most bytes of a bulk request; an event that is larger goes alone.'),
    maxBulkItems: z.int().min(1).max(100_000).default(4000).describe('The most events of a bulk request.'),
    maxInFlight: z.int().min(1).max(64).default(4).describe('The most requests at a time.'),
    requestTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe('Milliseconds until a request that is not answered is sent again.'),
    compression: z.boolean().default(false).describe('Compress requests with gzip.'),
  })
  .describe('Indexes events in Elasticsearch, each once, by event.id.');
