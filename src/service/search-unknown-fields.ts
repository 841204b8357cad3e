import { nearestTo } from '../config/fault.js';
import { UsageFault } from './command-io.js';
import { askAll, textOf } from './search-asking.js';
import type { Asked } from './search-asking.js';
import { existsQuery, keysQuery } from './search-query.js';

/**
 * Throws a UsageFault when no event of any store has one of the fields that were asked for: then it is a mistake, and
 * the nearest name is told. Looks through whole stores, so it is for questions that nothing was found for.
 */
export async function refuseUnknownFields(
  asked: readonly Asked[],
  signal: AbortSignal,
  fields: readonly string[] = asked[0]?.match.filters.where.map(({ field }) => field) ?? [],
): Promise<void> {
  const columns = new Set(asked.flatMap(({ match }) => match.columns.map(({ name }) => name)));
  for (const field of fields) {
    if (columns.has(field) || (await isAnywhere(field, asked, signal))) continue;
    const keys = (await askAll(asked, () => keysQuery, signal)).flat().map(([key]) => textOf(key));
    const nearest = nearestTo(field, [...new Set([...columns, ...keys])]);
    throw new UsageFault(
      `no event has a field '${field}'${nearest === undefined ? '' : `: did you mean '${nearest}'?`}`,
    );
  }
}

async function isAnywhere(field: string, asked: readonly Asked[], signal: AbortSignal): Promise<boolean> {
  const answers = await askAll(asked, ({ columns }) => existsQuery(columns, field), signal);
  return answers.some((rows) => rows.length > 0);
}
