import { OptionError } from './messaging.errors.js';

/** Named lanes, first served first. Each is a number, so lanes and numbers mix. */
export const LANES = { critical: 1, high: 10, normal: 100, low: 1_000 } as const;

/** Messages of this priority or a better one are urgent: an actor can reserve turns for them. */
export const URGENT = LANES.high;

/**
 * To which priority a message comes that has waited so many times as long as it may, the best one first. Where turns are reserved
 * none becomes urgent: an old flood would take them.
 */
export function agesOf(reserved = 0): readonly (readonly [priority: number, times: number])[] {
  return [
    [reserved > 0 ? URGENT + 1 : LANES.high, 2],
    [LANES.normal, 1],
  ];
}

/** A lane, or a number from 1 (served first) to 2,097,152 (BullMQ's limit, 2^21). Equal priorities are served first in, first out. */
export type Priority = keyof typeof LANES | number;

const LOWEST = 2 ** 21;

/** The number behind a {@link Priority}. Throws OptionError for another name, a fraction, or a number out of range. */
export function toPriority(priority: Priority, path: string): number {
  const value = typeof priority === 'string' ? LANES[priority] : priority;
  if (!Number.isSafeInteger(value) || value < 1 || value > LOWEST) {
    throw new OptionError(
      path,
      `must be one of ${Object.keys(LANES).join(', ')}, or a whole number from 1 to ${LOWEST}`,
    );
  }
  return value;
}
