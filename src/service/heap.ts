import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Large enough that most of a batch is gone before it is collected, small enough for the processor's cache. */
const MAX_YOUNG_BYTES = 64 * 1024 * 1024;
const LOOK_EVERY_MS = 20;

/**
 * Stops the growth of V8's young generation. Events live for milliseconds, yet V8 lets the space they are born in grow
 * with the machine's memory: 50 MB more resident memory for nothing. The limit itself is fixed when a process starts;
 * the factor of the growth can still be set.
 */
export function boundYoungGeneration(): void {
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if ((young?.space_size ?? 0) < MAX_YOUNG_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(timer);
  }, LOOK_EVERY_MS);
  timer.unref();
}
