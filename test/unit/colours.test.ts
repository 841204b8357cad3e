import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { wantsColours } from '../../src/service/colours.js';
import { serviceLog } from '../../src/service/log.js';

describe('wantsColours', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
    [{ FORCE_COLOR: '3', NO_COLOR: '1' }, false, true],
    [{ TERM: 'dumb' }, true, false],
  ])('%o, a terminal: %s → %s', (env, isTerminal, expected) => {
    expect(wantsColours(env, isTerminal)).toBe(expected);
  });
});

describe('serviceLog on a terminal', () => {
  const bad = '/logs/\u001b]0;title\u0007\u202ex';
  const shown = (colours: boolean): string => {
    const stream = new PassThrough();
    const log = serviceLog(stream, { isTerminal: true, colours });
    log.notice({ level: 'warn', message: `${bad} is gone`, details: { path: bad } }, 'app');
    return String(stream.read()).replace(/^\r\u001b\[2K/, '');
  };

  it('shows what could act on it, in the message and in its details', () => {
    const line = shown(false);
    expect(line).toMatch(/^\d\d:\d\d:\d\d warn \[app\] /);
    expect(line).toContain('/logs/\\x1b]0;title\\x07\\u202ex is gone path=/logs/\\x1b]0;title\\x07\\u202ex');
    expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('colours the level when it is asked to', () => {
    expect(shown(true)).toContain('\u001b[33mwarn\u001b[39m');
  });
});
