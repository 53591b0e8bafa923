import { OptionError } from '@callsheet/messaging';
import { RecentlyUsed } from './recently.used.js';

/** A change of the clocks: from `at` on (ms since 1970) the offset is `after`, until then `before` (both ms east of UTC). */
export interface Transition {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** Clocks of a time zone. Wall times are ms since 1970-01-01T00:00 on the wall, as if it were UTC. */
export interface Zone {
  readonly name: string;
  /** ms to add to an instant to get the wall time. */
  offset(instant: number): number;
  /** The first change after `instant`, up to and including `until`. */
  nextTransition(instant: number, until: number): Transition | undefined;
  /** The last change at or before `instant`, not before `since`. */
  lastTransition(instant: number, since: number): Transition | undefined;
}

const SECOND = 1_000;
const DAY = 86_400_000;
/** Two changes of one zone since 1970 are at least 6.9 days apart (Noronha in 2000, Gaza in 2040, by tzdata 2026f). */
const PROBE = 3 * DAY;

/** Rules are computed for these years; no zone has had a rule of summer time before, and nobody knows them after. */
export const EARLIEST = Date.UTC(1970, 0, 1);
/** See {@link EARLIEST}. */
export const LATEST = Date.UTC(2200, 0, 1);

/** Each zone has a formatter of about 30 KB; there are some 420 zones, and those who post rules could name all. */
const zones = new RecentlyUsed<string, Zone>(128);
const FIXED = /^(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})$/;

/**
 * The zone of an IANA name, or of a fixed offset such as '+05:30'.
 *
 * @param path names the option in the error
 * @throws OptionError for anything else
 */
export function zoneOf(name: string, path = 'tz'): Zone {
  const known = zones.get(name);
  if (known) return known;
  const zone = fixedZone(name, path) ?? new ZoneOfIntl(name, path);
  zones.set(name, zone);
  return zone;
}

/** The one spelling of a zone that {@link zoneOf} knows. Aliases stay as they are written: Asia/Calcutta is not renamed. */
export function zoneName(tz: unknown, path: string): string {
  if (typeof tz !== 'string' || tz.length === 0 || tz.length > 64) {
    throw new OptionError(
      path,
      `is not a known time zone: ${typeof tz === 'string' ? `'${tz.slice(0, 64)}'` : typeof tz}`,
    );
  }
  return zoneOf(tz, path).name;
}

function fixedZone(name: string, path: string): Zone | undefined {
  if (/^(?:utc|z|gmt|etc\/utc)$/i.test(name)) return fixed('UTC', 0);
  const match = FIXED.exec(name);
  if (!match) return undefined;
  const [, sign = '+', hours = '0', minutes = '0'] = match;
  const minutesEast = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  if (Number(minutes) > 59 || Math.abs(minutesEast) > 14 * 60) {
    throw new OptionError(path, `is not an offset between -14:00 and +14:00: '${name}'`);
  }
  return minutesEast === 0
    ? fixed('UTC', 0)
    : fixed(`${sign}${hours}:${minutes}`, minutesEast * 60 * SECOND);
}

function fixed(name: string, offset: number): Zone {
  return {
    name,
    offset: () => offset,
    nextTransition: () => undefined,
    lastTransition: () => undefined,
  };
}

/** Reads the offsets that Intl has, once per year of a zone, and remembers the changes. */
class ZoneOfIntl implements Zone {
  readonly name: string;
  private readonly format: Intl.DateTimeFormat;
  private readonly years = new Map<number, readonly Transition[]>();
  private readonly january = new Map<number, number>();

  constructor(name: string, path: string) {
    // Intl takes 'est5edt' and offsets too, which fixedZone reads; it names others by their canonical spelling.
    const known = /^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name);
    try {
      if (!known) throw new RangeError(name);
      this.format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new OptionError(path, `is not a known time zone: '${name}'`);
    }
    this.name = spelling(name);
  }

  offset(instant: number): number {
    const at = clamp(instant);
    const year = new Date(at).getUTCFullYear();
    let offset = this.startOf(year);
    for (const transition of this.transitions(year)) {
      if (transition.at > at) break;
      offset = transition.after;
    }
    return offset;
  }

  nextTransition(instant: number, until: number): Transition | undefined {
    const last = new Date(clamp(until)).getUTCFullYear();
    for (let year = new Date(clamp(instant)).getUTCFullYear(); year <= last; year++) {
      for (const transition of this.transitions(year)) {
        if (transition.at > until) return undefined;
        if (transition.at > instant) return transition;
      }
    }
    return undefined;
  }

  lastTransition(instant: number, since: number): Transition | undefined {
    const first = new Date(clamp(since - 1)).getUTCFullYear();
    for (let year = new Date(clamp(instant)).getUTCFullYear(); year >= first; year--) {
      for (const transition of this.transitions(year).toReversed()) {
        if (transition.at < since) return undefined;
        if (transition.at <= instant) return transition;
      }
    }
    return undefined;
  }

  private startOf(year: number): number {
    let offset = this.january.get(year);
    if (offset === undefined) {
      offset = this.ask(Date.UTC(year, 0, 1));
      this.january.set(year, offset);
    }
    return offset;
  }

  /** Offsets every few days, and where two differ, when it changed. */
  private transitions(year: number): readonly Transition[] {
    const known = this.years.get(year);
    if (known) return known;
    const found: Transition[] = [];
    const end = Date.UTC(year + 1, 0, 1);
    let from = Date.UTC(year, 0, 1);
    let before = this.startOf(year);
    // A change at the very start of the year is one of the year before by this count: (from, to] is searched.
    while (from < end) {
      const to = Math.min(from + PROBE, end);
      const after = to === end ? this.startOf(year + 1) : this.ask(to);
      if (after !== before) found.push({ at: this.bisect(from, to, before), before, after });
      before = after;
      from = to;
    }
    this.years.set(year, found);
    return found;
  }

  private bisect(from: number, to: number, before: number): number {
    let low = from;
    let high = to;
    while (high - low > SECOND) {
      const middle = low + Math.floor((high - low) / (2 * SECOND)) * SECOND;
      if (this.ask(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  private ask(instant: number): number {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const { type, value } of this.format.formatToParts(instant)) part[type] = value;
    const wall = Date.UTC(
      Number(part.year),
      Number(part.month) - 1,
      Number(part.day),
      Number(part.hour),
      Number(part.minute),
      Number(part.second),
    );
    return wall - Math.floor(instant / SECOND) * SECOND;
  }
}

/** `europe/madrid` is `Europe/Madrid`; an alias is not replaced by its target, which Node versions disagree about. */
function spelling(name: string): string {
  const resolved = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  return resolved.toLowerCase() === name.toLowerCase() ? resolved : name;
}

function clamp(instant: number): number {
  return Math.min(Math.max(instant, EARLIEST), LATEST);
}
