import { occurrencesBetween, prepare } from './occurrences.js';
import type { CheckedRule, DstRule } from './rule.js';
import { durationText } from './rule.text.js';
import type { Times } from './stretch.js';
import { instantsIn } from './time.text.js';
import { tzdataProblems } from './tzdata.js';
import type { WallTimes } from './wall.js';
import type { Transition, Zone } from './zone.js';
import { zoneOf } from './zone.js';

const DAY = 86_400_000;
/** How far ahead changes of the clocks are told: past the next of each, wherever the year begins. */
const AHEAD = 400 * DAY;
/** More runs in a day than one a minute are rarely meant. */
const MANY = 1_440;

/**
 * What who writes a rule may not expect: changes of the clocks within 400 days that concern it, very many runs, an end that is near,
 * and zone data that is too old for its zone. One sentence each.
 */
export function warningsOf(rule: CheckedRule, from: number): string[] {
  const first = occurrencesBetween(rule, from, Infinity, 1)[0];
  return [
    ...(first === undefined ? ['there is no run any more'] : manyRuns(rule, first)),
    ...clockChanges(rule, from),
    ...ending(rule, first),
    ...tzdataProblems(rule.tz),
  ];
}

function manyRuns(rule: CheckedRule, first: number): string[] {
  const runs = occurrencesBetween(rule, first - 1, first + DAY - 1, MANY + 1).length;
  if (runs <= MANY) return [];
  return [`runs more than ${MANY} times a day`];
}

function ending(rule: CheckedRule, first: number | undefined): string[] {
  if (first === undefined) return [];
  const { end, limit, at } = rule;
  const soon = [end, at?.at(-1)].find(
    (time) => time !== undefined && Date.parse(time) < first + AHEAD,
  );
  if (limit === undefined && soon === undefined && rule.rrule === undefined) return [];
  if (limit !== undefined && limit <= MANY) {
    const last = occurrencesBetween(rule, first - 1, Infinity, limit).at(-1) ?? first;
    return [
      `ends after ${limit === 1 ? 'one run' : `${limit} runs`}, from now on at ${new Date(last).toISOString()}`,
    ];
  }
  if (soon !== undefined) return [`ends at ${soon}`];
  return [];
}

function clockChanges(rule: CheckedRule, from: number): string[] {
  if (rule.cron === undefined && rule.rrule === undefined) return [];
  const zone = zoneOf(rule.tz);
  const until = Math.min(from + AHEAD, rule.end === undefined ? Infinity : Date.parse(rule.end));
  const { walls, calendars } = prepare(rule);
  const warnings: string[] = [];
  let at = Math.max(from, rule.start === undefined ? from : Date.parse(rule.start));
  for (;;) {
    const change = zone.nextTransition(at, until);
    if (!change) return warnings;
    for (const times of walls) {
      const warning = changeText(change, times, calendars, zone, rule.dst);
      if (warning !== undefined && !warnings.includes(warning)) warnings.push(warning);
    }
    at = change.at;
  }
}

/** What happens to the times that a change of the clocks takes away or repeats, or undefined when there are none. */
function changeText(
  change: Transition,
  times: WallTimes,
  calendars: Times | undefined,
  zone: Zone,
  dst: DstRule,
): string | undefined {
  const gap = change.after > change.before;
  const low = change.at + Math.min(change.before, change.after);
  const high = change.at + Math.max(change.before, change.after);
  const concerned = timesIn(times, low, high).filter((wall) => calendars?.at(wall).has ?? true);
  const [first] = concerned;
  if (first === undefined) return undefined;
  // What repeats before and after goes on in real time: nothing is lost, nothing doubled.
  const length = high - low;
  if (
    times.repeating &&
    timesIn(times, low - length, low).length > 0 &&
    timesIn(times, high, high + length).length > 0
  ) {
    return undefined;
  }
  const which = `${clock(first)}${concerned.length > 1 ? ` and ${concerned.length - 1} more` : ''}`;
  const day = new Date(first).toISOString().slice(0, 10);
  if (gap) {
    const instants = instantsIn(first, zone, times.repeating ? 'skip' : dst);
    const [instant] = instants;
    const then =
      instant === undefined ? 'does not run' : `runs at ${clock(instant + zone.offset(instant))}`;
    return `${day}: the clocks go from ${clock(low)} to ${clock(high)} (${durationText(length)}); ${which} ${then}`;
  }
  const both = times.repeating || dst === 'each';
  return `${day}: the clocks go from ${clock(high)} back to ${clock(low)} (${durationText(length)}); ${which} runs ${both ? 'both times' : 'the first time only'}`;
}

function timesIn(times: WallTimes, from: number, to: number): number[] {
  const found: number[] = [];
  let wall = times.next(from - 1);
  while (wall !== undefined && wall < to && found.length < 10_000) {
    found.push(wall);
    wall = times.next(wall);
  }
  return found;
}

/** `02:30`, of a wall time. */
function clock(wall: number): string {
  const text = new Date(wall).toISOString().slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}
