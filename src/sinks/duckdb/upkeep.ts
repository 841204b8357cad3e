import type { Upkeep } from './database.js';
import type { DuckdbSinkOptions } from './options.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const timeOf = (ms: number): string => new Date(ms).toISOString();

/**
 * What is to be done now. `bytesSince`: text that was stored since the last export. `nextMs`: no row will have a smaller
 * time. `lastMs`: when this was asked last.
 */
export function upkeepAt(
  { retention, export: exporting }: DuckdbSinkOptions,
  { nextMs, lastMs, bytesSince }: { nextMs: number; lastMs: number; bytesSince: number },
): Upkeep | undefined {
  const everyMs = exporting?.every === 'hour' ? HOUR_MS : DAY_MS;
  const isOver = Math.floor(nextMs / everyMs) > Math.floor(lastMs / everyMs);
  const isLarge = exporting !== undefined && bytesSince >= exporting.maxBytes;
  const isTimeToRemove = Math.floor(nextMs / HOUR_MS) > Math.floor(lastMs / HOUR_MS);
  if (!(isOver && exporting !== undefined) && !isLarge && !(isTimeToRemove && retention !== undefined))
    return undefined;
  const exportMs = isLarge ? nextMs : isOver ? nextMs - (nextMs % everyMs) : undefined;
  return {
    exportFolder: exporting?.path,
    exportUntil: exportMs === undefined ? undefined : timeOf(exportMs),
    removeBefore: retention === undefined ? undefined : timeOf(nextMs - retention.maxAgeDays * DAY_MS),
  };
}
