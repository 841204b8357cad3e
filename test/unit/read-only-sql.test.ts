import { describe, expect, it } from 'vitest';
import { explained, outsideStore } from '../../src/service/read-only-sql.js';

describe('explained', () => {
  it.each([
    ['EXPLAIN SELECT 1', 'SELECT 1'],
    ['  explain\nanalyze select 1', 'select 1'],
    ['-- why\n/* so */ EXPLAIN SELECT 1', 'SELECT 1'],
    ['SELECT 1', 'SELECT 1'],
    ["SELECT 'explain select 2'", "SELECT 'explain select 2'"],
  ])('%j', (sql, query) => {
    expect(explained(sql)).toBe(query);
  });
});

describe('outsideStore', () => {
  it('finds a file wherever it is named', () => {
    const file = { type: 'TABLE_FUNCTION', function: { function_name: 'read_csv', children: [] } };
    expect(outsideStore({ statements: [{ node: { from_table: { left: {}, right: file } } }] })).toBe('read_csv()');
    expect(outsideStore({ type: 'BASE_TABLE', table_name: 'x.parquet' })).toBe("'x.parquet'");
    expect(outsideStore({ type: 'SHOW_REF', table_name: '/etc/passwd' })).toBe("'/etc/passwd'");
  });

  it('has nothing against the store and plain rows', () => {
    expect(outsideStore({ type: 'BASE_TABLE', table_name: 'events' })).toBeUndefined();
    expect(outsideStore({ type: 'TABLE_FUNCTION', function: { function_name: 'RANGE' } })).toBeUndefined();
    expect(outsideStore(null)).toBeUndefined();
  });
});
