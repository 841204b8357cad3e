import type { Json } from '../../model/json.js';
import { indexWildcard } from './index-name.js';

const keyword: Json = { type: 'keyword', ignore_above: 1024 };

/** The types that the Elastic Common Schema gives to the fields that logs have; further texts become keywords. */
const ECS: Readonly<Record<string, Json>> = {
  '@timestamp': { type: 'date' },
  message: { type: 'text' },
  'log.level': keyword,
  'log.file.path': keyword,
  'log.offset': { type: 'long' },
  'event.id': keyword,
  'event.severity': { type: 'long' },
  'event.original': { type: 'keyword', index: false, doc_values: false },
  'event.duration': { type: 'long' },
  'error.message': { type: 'text' },
  'error.code': keyword,
  'error.stack_trace': { type: 'text' },
  'host.name': keyword,
  'service.name': keyword,
  'http.response.status_code': { type: 'long' },
  'http.request.method': keyword,
  'url.path': keyword,
  'source.ip': { type: 'ip', ignore_malformed: true },
  'trace.id': keyword,
};

/** The name and body of the index template for the indices of a pattern. */
export function templateFor(pattern: string): { readonly name: string; readonly body: Json } {
  const wildcard = indexWildcard(pattern);
  const name = `millrace-${wildcard.replaceAll(/[^a-z0-9._-]+/g, '_').replaceAll(/^_+|_+$/g, '') || 'all'}`;
  const body: Json = {
    index_patterns: [wildcard],
    priority: 200,
    template: {
      mappings: {
        dynamic_templates: [{ texts: { match_mapping_type: 'string', mapping: keyword } }],
        properties: ECS,
      },
    },
    _meta: { description: 'ECS mapping, installed by millrace', version: 1 },
  };
  return { name, body };
}
