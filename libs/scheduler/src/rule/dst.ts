import type { Instants } from './instants.js';
import type { DstRule } from './rule.js';
import type { WallTimes } from './wall.js';
import type { Transition, Zone } from './zone.js';

/** Longer than any change of clocks, which at most drops or repeats a day (Samoa in 2011). */
const LONGEST_CHANGE = 26 * 3_600_000;

/**
 * The instants at which the clock of `zone` shows the times of `walls`, by the rule for missing and repeated times.
 *
 * Time falls into spells of one offset each. Within a spell it is an addition; what the change at its start makes of times that were
 * missing or come again is decided there. So an answer depends on the argument only, and asking from any instant between two
 * occurrences gives the same one.
 */
export function instantsOf(walls: WallTimes, zone: Zone, dst: DstRule): Instants {
  const both = walls.repeating || dst === 'each';
  const gap = walls.repeating ? 'skip' : dst;
  return {
    next(instant) {
      let after = instant;
      let change = zone.lastTransition(instant, instant - LONGEST_CHANGE);
      const next = remembering(walls);
      for (;;) {
        const offset = change ? change.after : zone.offset(after);
        const regular = next(Math.max(after + offset, firstWall(change, both) - 1));
        const candidate = smaller(
          regular === undefined ? undefined : regular - offset,
          change && nextOfGap(walls, change, gap, after),
        );
        const since = Math.max(after, change?.at ?? after);
        const following = zone.nextTransition(since, candidate ?? since + LONGEST_CHANGE);
        if (!following) return candidate;
        if (candidate !== undefined && candidate < following.at) return candidate;
        change = following;
        after = following.at - 1;
      }
    },
    previous(instant) {
      let before = instant;
      for (;;) {
        const offset = zone.offset(before - 1);
        const wall = walls.previous(before + offset);
        const reached = wall === undefined ? before - 1 : Math.min(before - 1, wall - offset);
        const change = zone.lastTransition(before - 1, reached - LONGEST_CHANGE);
        const regular =
          wall !== undefined && wall >= firstWall(change, both) ? wall - offset : undefined;
        if (!change) return regular;
        const candidate = larger(regular, previousOfGap(walls, change, gap, before));
        if (candidate !== undefined && candidate >= change.at) return candidate;
        before = change.at;
      }
    },
  };
}

/** The first wall time of the spell after a change that is an occurrence's own: those of a second pass are not, unless both are. */
function firstWall(change: Transition | undefined, both: boolean): number {
  if (!change) return -Infinity;
  return change.at + (both ? change.after : Math.max(change.before, change.after));
}

/** The first occurrence after `after` that stands for one which the clocks left out at `change`. */
function nextOfGap(
  walls: WallTimes,
  change: Transition,
  rule: DstRule,
  after: number,
): number | undefined {
  const from = change.at + change.before;
  const to = change.at + change.after;
  if (to <= from || (rule !== 'once' && rule !== 'shift')) return undefined;
  if (rule === 'once') {
    const wall = walls.next(from - 1);
    return after < change.at && wall !== undefined && wall < to ? change.at : undefined;
  }
  const wall = walls.next(Math.max(from - 1, after + change.before));
  return wall !== undefined && wall < to ? wall - change.before : undefined;
}

/** The last occurrence before `before` that stands for one which the clocks left out at `change`. */
function previousOfGap(
  walls: WallTimes,
  change: Transition,
  rule: DstRule,
  before: number,
): number | undefined {
  const from = change.at + change.before;
  const to = change.at + change.after;
  if (to <= from || (rule !== 'once' && rule !== 'shift')) return undefined;
  const wall = walls.previous(rule === 'once' ? to : Math.min(to, before + change.before));
  if (wall === undefined || wall < from) return undefined;
  return rule === 'shift' ? wall - change.before : change.at < before ? change.at : undefined;
}

/** `walls.next` for arguments that grow: a pattern that runs once in years is not searched again for each change on the way. */
function remembering(walls: WallTimes): (wall: number) => number | undefined {
  let from = Infinity;
  let found: number | undefined;
  return (wall) => {
    if (wall < from || (found !== undefined && wall >= found)) {
      found = walls.next(wall);
      from = wall;
    }
    return found;
  };
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}
