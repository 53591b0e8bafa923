import { decoded } from '../address.js';
import type { Shown } from '../api/client.js';

type Entry = Shown['AuditPage']['items'][number];

/** How far from the beginning of a pause the entry of it may be, ms: they may be by the clocks of two processes. */
export const NEAR = 30_000;

/**
 * The entry that tells of the beginning of a pause: of those that paused the same, the nearest. Pausing again or saying another reason
 * leaves entries too.
 *
 * @param target `schedules/weekly`
 */
export function pauseEntry(
  entries: readonly Entry[],
  target: string,
  since: string,
): Entry | undefined {
  const away = ({ at }: Entry): number => Math.abs(Date.parse(at) - Date.parse(since));
  const [nearest] = entries
    .filter((entry) => hasPaused(entry, target) && away(entry) <= NEAR)
    .sort((one, other) => away(one) - away(other));
  return nearest;
}

function hasPaused({ action, status = Infinity, ...entry }: Entry, target: string): boolean {
  // What is asked for may be a part of what is found.
  return action === 'pause' && status < 300 && decoded(entry.target) === target;
}
