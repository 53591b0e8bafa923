import type { Watch } from '../parts/planned.action.js';

/** How many are redriven by one call: few enough to stop between two. */
const AT_ONCE = 100;

/**
 * Redrives what matches in several calls, the oldest first, until as many are done as were counted before. One that dies again meanwhile
 * matches again, behind them all: the count keeps this from going on for ever.
 *
 * @param call redrives at most `limit`
 * @returns what became of it
 */
export async function redriveCounted(
  call: (limit: number) => Promise<{ count: number; more: boolean }>,
  counted: number,
  watch: Watch,
): Promise<string> {
  let done = 0;
  while (done < counted && !watch.stopped) {
    const { count, more } = await call(Math.min(AT_ONCE, counted - done));
    done += count;
    watch.progress(done);
    if (!more || count === 0) break;
  }
  const left = counted - done;
  if (watch.stopped && left > 0) return `${done} redriven; stopped, ${left} are left.`;
  if (left > 0) return `${done} redriven; the other ${left} were gone.`;
  return `${done} redriven.`;
}
