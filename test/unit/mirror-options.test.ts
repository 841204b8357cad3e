import { describe, expect, it } from 'vitest';
import { validate } from '../../src/config/expectation.js';
import { pipelineSchema } from '../../src/config/schema.js';

const withMirror = (mirror: unknown): unknown => ({
  source: { stdin: {} },
  routes: [{ to: { console: {} }, mirror }],
});

describe('the key mirror of a route', () => {
  it('has a share of a tenth, and room for sixteen batches, when nothing is said', () => {
    const result = validate(pipelineSchema, withMirror({ to: { console: {} } }));
    expect(result).toMatchObject({ data: { routes: [{ mirror: { ratio: 0.1, maxBatches: 16 } }] } });
  });

  it.each([
    [{}, 'routes.0.mirror.to expected a mapping'],
    [
      { to: { file: { path: 'a' } } },
      'routes.0.mirror.to.file unknown key, expected one of console, kafka, elasticsearch',
    ],
    [{ ratio: 2, to: { console: {} } }, 'routes.0.mirror.ratio expected a number of at most 1'],
    [{ maxBatches: 0, to: { console: {} } }, 'routes.0.mirror.maxBatches expected a number of at least 1'],
  ])('%j is refused', (mirror, expected) => {
    const result = validate(pipelineSchema, withMirror(mirror));
    const faults = 'data' in result ? [] : result.map(({ path, message }) => `${path.join('.')} ${message}`);
    expect(faults).toEqual([expected]);
  });
});
