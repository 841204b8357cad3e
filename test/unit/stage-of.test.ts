import { createHmac } from 'node:crypto';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { stageOf } from '../../src/service/stage-of.js';
import { stageOptions } from '../../src/operators/options.js';
import { placeOf } from '../../src/testing/place-of.js';

function message(options: unknown, text: string): unknown {
  let got: unknown;
  of(placeOf().raw(text))
    .pipe(stageOf(stageOptions.parse(options)))
    .subscribe((event) => (got = event.get('message')));
  return got;
}

describe('redact', () => {
  it('masks, or hashes with HMAC-SHA-256 and the key', () => {
    expect(message({ redact: {} }, 'by a@b.example')).toBe('by [email]');
    const hash = createHmac('sha256', 'k').update('a@b.example').digest('hex').slice(0, 16);
    expect(message({ redact: { with: 'hash', key: 'k' } }, 'by a@b.example')).toBe(`by [email:${hash}]`);
    expect(message({ redact: { with: 'hash', key: 'other' } }, 'by a@b.example')).not.toContain(hash);
  });
});
