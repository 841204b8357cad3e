/** Table functions that make rows, take apart values, or tell about the store. Every other one may read a file. */
const TABLE_FUNCTIONS = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'json_each',
  'json_tree',
  'duckdb_columns',
  'duckdb_constraints',
  'duckdb_functions',
  'duckdb_indexes',
  'duckdb_keywords',
  'duckdb_schemas',
  'duckdb_tables',
  'duckdb_types',
  'duckdb_views',
  'pragma_database_size',
  'pragma_storage_info',
  'pragma_table_info',
  'pragma_version',
]);

/** A table of another name may be a file: DuckDB reads `FROM 'x.csv'` as one. What SHOW shows stands between quotes. */
const TABLE_NAME = /^(?:\w*|"\w+")$/;

/** What stands before a query that is to be explained. */
const EXPLAIN = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*explain\s+(?:analyze\s+)?(?=[a-z(])/i;

/** The query that an EXPLAIN is about; any other text as it is. */
export function explained(sql: string): string {
  return sql.replace(EXPLAIN, '');
}

/**
 * Why a query is not answered: it reads files, not the store. Undefined for one that is. `tree`: the statement as
 * DuckDB's json_serialize_sql gives it.
 */
export function outsideStore(tree: unknown): string | undefined {
  if (typeof tree !== 'object' || tree === null) return undefined;
  if (Array.isArray(tree)) return first(tree);
  return fault(tree as Readonly<Record<string, unknown>>) ?? first(Object.values(tree));
}

function first(parts: readonly unknown[]): string | undefined {
  for (const part of parts) {
    const found = outsideStore(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fault({ type, ...node }: Readonly<Record<string, unknown>>): string | undefined {
  if (type === 'TABLE_FUNCTION') {
    const { function_name: name } = (node['function'] ?? {}) as { readonly function_name?: unknown };
    return typeof name === 'string' && TABLE_FUNCTIONS.has(name.toLowerCase()) ? undefined : `${String(name)}()`;
  }
  if (type === 'BASE_TABLE' || type === 'SHOW_REF') {
    const name = node['table_name'];
    return typeof name === 'string' && TABLE_NAME.test(name) ? undefined : `'${String(name)}'`;
  }
  return undefined;
}
