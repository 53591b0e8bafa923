import type { CelFunc } from '@bufbuild/cel';
import { charge } from './budget.js';
import { cel } from './cel.js';

const DAY = 86_400_000;
const MOST_ZONES = 500;
const OFFSET = /^([+-]?)(\d\d):(\d\d)$/;
const TIMESTAMP = 'google.protobuf.Timestamp';

/** By name of the function: what it reads off a wall clock. Months, and days of month and year, count from 0, as CEL says. */
const READINGS: Readonly<Record<string, (wall: Date) => number>> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: (wall) => Math.floor((wall.getTime() - wallOf(wall.getUTCFullYear())) / DAY),
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
};

/**
 * In place of the library's own, which put the wall clock into a `Date` of the zone of the process: an hour that a change of
 * clocks skips there was another hour then. And they made a new `Intl.DateTimeFormat` at every call.
 */
export function timeFunctions(): readonly CelFunc[] {
  const { CelScalar, celMethod, objectType } = cel();
  const timestamp = objectType(TIMESTAMP);
  return Object.entries(READINGS).flatMap(([name, reading]) => [
    celMethod(name, timestamp, [], CelScalar.INT, function () {
      return BigInt(reading(new Date(millisecondsOf(this.message))));
    }),
    celMethod(name, timestamp, [CelScalar.STRING], CelScalar.INT, function (zone) {
      return BigInt(reading(wallClock(millisecondsOf(this.message), zone)));
    }),
  ]);
}

/** Names of the functions that take a zone. */
export const TAKES_ZONE: ReadonlySet<string> = new Set(Object.keys(READINGS));

/** @throws Error for what is neither a zone nor an offset such as `+02:00` */
export function checkZone(zone: string): void {
  if (!OFFSET.test(zone)) zoneOf(zone);
}

/** Epoch milliseconds as a value of CEL. */
export function timestampOf(milliseconds: number): { $typeName: 'google.protobuf.Timestamp' } {
  const seconds = Math.floor(milliseconds / 1_000);
  const nanos = Math.floor((milliseconds - seconds * 1_000) * 1_000_000);
  return { $typeName: TIMESTAMP, seconds: BigInt(seconds), nanos } as never;
}

function millisecondsOf(message: object): number {
  const { seconds, nanos } = message as { seconds: bigint; nanos: number };
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}

/** What a clock in that zone shows, as the UTC of a Date. */
function wallClock(at: number, zone: string): Date {
  const offset = OFFSET.exec(zone);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(at + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  const known = zoneOf(zone);
  // One event is looked at by many filters.
  if (known.at === at) return known.wall;
  charge(50);
  const part: Record<string, number> = {};
  for (const { type, value } of known.format.formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  const time = ((hour * 60 + minute) * 60 + second) * 1_000 + (((at % 1_000) + 1_000) % 1_000);
  known.at = at;
  known.wall = new Date(wallOf(year, month - 1, day) + time);
  return known.wall;
}

/** As `Date.UTC`, which takes the year 99 for 1999. */
function wallOf(year: number, month = 0, day = 1): number {
  return new Date(0).setUTCFullYear(year, month, day);
}

/** A time zone, and what its clock showed last. */
interface Zone {
  readonly format: Intl.DateTimeFormat;
  at: number;
  wall: Date;
}

const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (zone) return zone;
  charge(2_000);
  zone = { format: formatOf(name), at: NaN, wall: new Date(NaN) };
  if (zones.size >= MOST_ZONES) zones.clear();
  zones.set(name, zone);
  return zone;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new Error(`names the time zone '${timeZone.slice(0, 64)}', which does not exist`);
  }
}
