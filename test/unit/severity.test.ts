import { describe, expect, it } from 'vitest';
import { levelNames, severityOf } from '../../src/model/severity.js';

describe('severityOf', () => {
  it.each([
    [1, ['TRACE', 'finest', 'verbose', 'silly']],
    [5, ['DEBUG', 'dbg', 'fine', 'D']],
    [9, ['INFO', 'information', 'notice', 'log', 'I']],
    [13, ['WARN', 'warning', 'W']],
    [17, ['ERROR', 'err', 'severe', 'E']],
    [21, ['FATAL', 'crit', 'critical', 'alert', 'emerg', 'emergency', 'panic', 'F']],
  ])('%i: %s', (severity, names) => {
    for (const name of names) {
      for (const spelling of [name, name.toLowerCase(), name.toUpperCase(), ` ${name}\t`]) {
        expect(severityOf(spelling), spelling).toBe(severity);
      }
    }
  });

  it('does not know other names, nor those of objects', () => {
    for (const name of ['', ' ', 'odd', 'WARNS', 'constructor', '__proto__', 'toString', '13']) {
      expect(severityOf(name), name).toBeUndefined();
    }
  });

  it('understands every name it lists', () => {
    for (const name of levelNames) expect(severityOf(name), name).toBeDefined();
  });
});
