import { OptionError } from '@callsheet/messaging';
import { instantsOf } from './dst.js';
import type { DstRule } from './rule.js';
import type { WallTimes } from './wall.js';
import { EARLIEST, LATEST, type Zone } from './zone.js';

const TEXT =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * The instants of a time as users write it, earliest first: one, or two when the clock shows it twice and the rule wants both.
 *
 * @throws OptionError for what is no time, does not exist, or lies outside of 1970 to 2200
 */
export function readTime(written: unknown, zone: Zone, dst: DstRule, path: string): number[] {
  if (written instanceof Date) return [within(written.getTime(), path)];
  const match = typeof written === 'string' ? TEXT.exec(written) : null;
  if (!match) {
    const got = typeof written === 'string' ? `'${written.slice(0, 40)}'` : typeof written;
    throw new OptionError(path, `must be a Date or text such as '2026-12-24T18:00', got ${got}`);
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', ms = '0', offset] = match;
  const parts = [year, month, day, hour, minute, second].map(Number);
  const wall = wallOf(parts, path) + Number(ms.padEnd(3, '0'));
  if (offset !== undefined) return [within(wall - offsetOf(offset), path)];
  within(wall, path);
  const found = instantsIn(wall, zone, dst);
  if (found.length > 0) return found;
  throw new OptionError(
    path,
    `'${String(written)}' does not exist in ${zone.name}: the clocks skip it`,
  );
}

/** The wall time of year, month, day, hour, minute, second. */
export function wallOf(parts: readonly number[], path: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(wall);
  if (
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    const text = `${year}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
    throw new OptionError(path, `is no time: ${text}`);
  }
  return wall;
}

/** The instants at which the clock of a zone shows one wall time. */
export function instantsIn(wall: number, zone: Zone, dst: DstRule): number[] {
  const one: WallTimes = {
    repeating: false,
    next: (after) => (wall > after ? wall : undefined),
    previous: (before) => (wall < before ? wall : undefined),
  };
  const instants = instantsOf(one, zone, dst);
  const found: number[] = [];
  let at = instants.next(wall - 2 * 86_400_000);
  while (at !== undefined) {
    found.push(at);
    at = instants.next(at);
  }
  return found;
}

function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith('-') ? -minutes : minutes) * 60_000;
}

function within(instant: number, path: string): number {
  if (instant >= EARLIEST && instant < LATEST) return instant;
  throw new OptionError(path, 'must be a time between 1970 and 2200');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
