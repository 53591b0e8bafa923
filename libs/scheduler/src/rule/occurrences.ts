import { timesOf } from './calendar.js';
import { cronTimes } from './cron.js';
import { instantsOf } from './dst.js';
import { listed, repeated, union, type Instants } from './instants.js';
import { movedOn } from './moved.js';
import { recurrenceTimes } from './recurrence.js';
import { RecentlyUsed } from './recently.used.js';
import type { CheckedRule } from './rule.js';
import type { Times } from './stretch.js';
import type { WallTimes } from './wall.js';
import { EARLIEST, LATEST, zoneOf, type Zone } from './zone.js';

/** Occurrences in succession that calendars may leave out before a search gives up: of a daily rule, 13 years. */
const MAX_EXCLUDED = 5_000;

/** Longer than any change of clocks. */
const CHANGE = 26 * 3_600_000;

/**
 * The first occurrence of a rule after an instant, or undefined when there is none, or none within reach: before 2200, and before
 * the calendars have left out 5,000 in succession. Both are ms since 1970.
 *
 * The answer depends on nothing but the arguments and the zone data of Node: asked from any instant between two occurrences it is
 * the same, so a process that starts again goes on where another stopped. `limit` is left to who counts.
 */
export function nextOccurrence(rule: CheckedRule, after: number): number | undefined {
  return occurrencesOf(rule).next(after);
}

/** The last occurrence before an instant; the mirror image of {@link nextOccurrence}. */
export function previousOccurrence(rule: CheckedRule, before: number): number | undefined {
  return occurrencesOf(rule).previous(before);
}

/** The occurrences after `from` up to and including `to`, the first `max` of them. */
export function occurrencesBetween(
  rule: CheckedRule,
  from: number,
  to: number,
  max: number,
): number[] {
  const instants = occurrencesOf(rule);
  const found: number[] = [];
  let at = instants.next(from);
  while (at !== undefined && at <= to && found.length < max) {
    found.push(at);
    at = instants.next(at);
  }
  return found;
}

const byRule = new WeakMap<CheckedRule, Instants>();
const byText = new RecentlyUsed<string, Instants>(500);

/** What has been made ready for a rule, found by the object or, when it came from a store once more, by what it says. */
function occurrencesOf(rule: CheckedRule): Instants {
  const known = byRule.get(rule);
  if (known) return known;
  const { cron, every, phase, at, rrule, tz, dst, start, end, include, exclude, onExcluded } = rule;
  const parts = [cron, every, phase, at, rrule, tz, dst, start, end, include, exclude, onExcluded];
  const text = JSON.stringify(parts);
  let instants = byText.get(text);
  if (!instants) {
    instants = prepared(rule);
    byText.set(text, instants);
  }
  byRule.set(rule, instants);
  return instants;
}

/** The parts of a rule, before bounds: what says its times on the wall, and what its calendars have. */
export function prepare(rule: CheckedRule): { walls: readonly WallTimes[]; calendars?: Times } {
  const zone = zoneOf(rule.tz);
  const walls =
    rule.rrule === undefined ? (rule.cron ?? []).flatMap(cronTimes) : [recurrenceTimes(rule.rrule)];
  const include = (rule.include ?? []).map((calendar) => timesOf(calendar, zone));
  const exclude = (rule.exclude ?? []).map((calendar) => timesOf(calendar, zone));
  if (include.length + exclude.length === 0) return { walls };
  const calendars = answers(include, exclude);
  if (rule.onExcluded === 'drop') return { walls, calendars };
  return { walls: walls.map((times) => movedOn(times, (midnight) => calendars.at(midnight).has)) };
}

function prepared(rule: CheckedRule): Instants {
  const zone = zoneOf(rule.tz);
  const { walls, calendars } = prepare(rule);
  const all = allOf(rule, walls, zone);
  return bounded(calendars ? kept(all, calendars, zone) : all, rule);
}

/** The occurrences without regard to start, end and calendars that drop. */
function allOf(rule: CheckedRule, walls: readonly WallTimes[], zone: Zone): Instants {
  if (rule.every !== undefined) {
    return repeated(rule.every, (rule.start ? Date.parse(rule.start) : 0) + (rule.phase ?? 0));
  }
  if (rule.at) return listed(rule.at.map((at) => Date.parse(at)));
  return union(walls.map((times) => instantsOf(times, zone, rule.dst)));
}

/** Included by one, if there are any to include, and excluded by none. */
function answers(include: readonly Times[], exclude: readonly Times[]): Times {
  return {
    at(wall) {
      let from = -Infinity;
      let to = Infinity;
      let included = include.length === 0;
      for (const calendar of include) {
        const answer = calendar.at(wall);
        if (answer.has === included) {
          from = Math.max(from, answer.from);
          to = Math.min(to, answer.to);
        } else if (answer.has) {
          ({ from, to } = answer);
          included = true;
        }
      }
      for (const calendar of exclude) {
        const answer = calendar.at(wall);
        if (answer.has) return { ...answer, has: false };
        from = Math.max(from, answer.from);
        to = Math.min(to, answer.to);
      }
      return { has: included, from, to };
    },
  };
}

/** Those occurrences that the calendars have. Leaves whole stretches out at once. */
function kept(instants: Instants, calendars: Times, zone: Zone): Instants {
  return {
    next(instant) {
      let after = instant;
      for (let excluded = 0; excluded < MAX_EXCLUDED; excluded++) {
        const at = instants.next(after);
        if (at === undefined || at >= LATEST) return undefined;
        const wall = at + zone.offset(at);
        const { has, to } = calendars.at(wall);
        if (has) return at;
        // The clock reaches the end of the stretch later or earlier if it is changed on the way: look again there.
        const end = Math.min(at + to - wall, LATEST);
        after = (zone.nextTransition(at, end + CHANGE)?.at ?? end) - 1;
        after = Math.max(at, Math.min(after, end - 1));
      }
      return undefined;
    },
    previous(instant) {
      let before = instant;
      for (let excluded = 0; excluded < MAX_EXCLUDED; excluded++) {
        const at = instants.previous(before);
        if (at === undefined || at < EARLIEST) return undefined;
        const wall = at + zone.offset(at);
        const { has, from } = calendars.at(wall);
        if (has) return at;
        const start = Math.max(at + from - wall, EARLIEST);
        before = Math.min(
          at,
          Math.max(start, zone.lastTransition(at, start - CHANGE)?.at ?? start),
        );
      }
      return undefined;
    },
  };
}

function bounded(instants: Instants, { start, end }: CheckedRule): Instants {
  const first = start === undefined ? EARLIEST : Date.parse(start);
  const last = end === undefined ? LATEST - 1 : Date.parse(end);
  return {
    next(instant) {
      const at = instants.next(Math.max(instant, first - 1));
      return at !== undefined && at <= last ? at : undefined;
    },
    previous(instant) {
      const at = instants.previous(Math.min(instant, last + 1));
      return at !== undefined && at >= first ? at : undefined;
    },
  };
}
