import * as fc from 'fast-check';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/operators/redact.js';
import type { RedactConfig } from '../../src/operators/redact.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

type Fields = Readonly<Record<string, unknown>>;

function redacted(own: Fields, config?: RedactConfig, origin: Fields = {}): Fields {
  let result: Fields = {};
  of(placeOf(origin).event(own))
    .pipe(redact(config))
    .subscribe((event) => (result = event.fields));
  return result;
}

function text(message: string, config?: RedactConfig): unknown {
  return redacted({ message }, config).message;
}

describe('redact', () => {
  standingCases(() => redact(), 'from a@b.example');

  it('e-mail addresses', () => {
    expect(text('mail to jürgen.o+x@sub.example.com, now')).toBe('mail to [email], now');
    expect(text('<a@b.co>;c_d@e-f.org')).toBe('<[email]>;[email]');
    for (const plain of ['user@localhost', '@example.com', 'a @ b.com', 'x@y']) expect(text(plain)).toBe(plain);
  });

  it('card numbers: with or without groups, also beside other numbers; not what fails Luhn or no card begins like', () => {
    for (const card of [
      '4111111111111111',
      '4111 1111 1111 1111',
      '5500-0055-5555-5559',
      '378282246310005',
      '6011111111111117',
    ]) {
      expect(text(`card ${card}.`)).toBe('card [cardNumber].');
      expect(text(`2026-01-01 ${card} 42`)).toBe('2026-01-01 [cardNumber] 42');
    }
    expect(text('4111111111111111 5500005555555559')).toBe('[cardNumber] [cardNumber]');
    for (const plain of [
      '4111111111111112',
      '1438191704747',
      '41111111111111111111111',
      '0000000000000000',
      '12-34-56',
    ]) {
      expect(text(plain)).toBe(plain);
    }
  });

  it('IP addresses of both versions, not versions, times or hardware addresses', () => {
    expect(text('from 10.0.0.1:8080, then 255.255.255.255.')).toBe('from [ip]:8080, then [ip].');
    expect(text('/192.168.1.9 [::1] fe80::1: 2001:db8:0:0:8:800:200c:417a ::ffff:1.2.3.4')).toBe(
      '/[ip] [[ip]] [ip]: [ip] [ip]',
    );
    for (const plain of [
      '1.2.3',
      '1.2.3.4.5',
      'v1.2.3.4',
      '256.1.1.1',
      '12:34:56',
      'aa:bb:cc:dd:ee:ff',
      'std::abc',
      '::',
      '1:2',
    ]) {
      expect(text(plain)).toBe(plain);
    }
  });

  it('bearer tokens: the scheme stays', () => {
    expect(text('Authorization: Bearer eyJhbGciOi.J9-_x+/==; ok')).toBe('Authorization: Bearer [bearerToken]; ok');
    expect(text('bearer of bad news')).toBe('bearer of bad news');
  });

  it('only what is asked for, and what own patterns find', () => {
    expect(text('a@b.example 10.0.0.1', { what: ['ip'] })).toBe('a@b.example [ip]');
    expect(text('ORD-123456 a@b.example', { what: [], patterns: ['ORD-\\d{6}'] })).toBe('[redacted] a@b.example');
    expect(text('aab', { what: [], patterns: ['x*'] })).toBe('aab');
    expect(text('xxaxx', { what: [], patterns: ['^x'], maxInputChars: 3 })).toBe('[redacted]xa[redacted]x');
    expect(() => redact({ patterns: ['('] })).toThrow(SyntaxError);
  });

  it('a hash stands for the value: the same for the same', () => {
    const hash = (value: string): string => String(value.length);
    expect(text('a@b.example 10.0.0.1 cd@b.example', { hash })).toBe('[email:11] [ip:8] [email:12]');
    expect(text('Bearer 12345678 k1', { hash, patterns: ['k\\d'] })).toBe('Bearer [bearerToken:8] [redacted:2]');
  });

  it('the fields named, inside lists and mappings too, also of the origin; the others stay', () => {
    const fields = ['a', 'b', 'card', 'gone'];
    const own = {
      a: 'x@y.example',
      b: [{ c: '10.0.0.1', d: 1 }, null],
      card: 4111111111111111,
      message: 'x@y.example',
    };
    expect(redacted(own, { fields })).toEqual({
      a: '[email]',
      b: [{ c: '[ip]', d: 1 }, null],
      card: '[cardNumber]',
      message: 'x@y.example',
    });
    expect(redacted({}, { fields }, { a: 'x@y.example' })).toEqual({ a: '[email]' });
    expect(redacted({ a: 5 }, { fields })).toEqual({ a: 5 });
  });

  it('takes any text, leaves nothing behind that it would find again, and hostile ones in no time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a@b.co', '10.1.2.3', '4111111111111111', '::1', ' ', '-', '1', '.', ':', 'x')),
        (parts) => {
          const once = text(parts.join(' '));
          expect(text(String(once))).toBe(once);
        },
      ),
    );
    for (const piece of ['a', '1', '1 ', '1.', 'a:', ':', 'a.', '@a.', 'Bearer ', '4111-']) {
      const startedAt = performance.now();
      text(piece.repeat(20_000));
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });
});
