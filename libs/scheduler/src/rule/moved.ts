import { DAY } from './stretch.js';
import type { WallTimes } from './wall.js';

/** Days in succession that a search passes, 13 years: jumps are not counted by their length. */
const MAX_EMPTY_DAYS = 5_000;

/** How far an occurrence is moved at most. A longer stretch of days without work leaves out what is earlier in it. */
const MAX_DAYS = 31;

/**
 * Times whose excluded days are moved on to the next day that is not, at the same time of day; two that meet are one.
 *
 * @param allowed whether a day, given by the wall time of its midnight, is one on which occurrences run
 */
export function movedOn(walls: WallTimes, allowed: (midnight: number) => boolean): WallTimes {
  /** The days whose occurrences run on this one, itself first: those before it that are excluded. */
  const sources = (midnight: number): number[] => {
    const days = [midnight];
    while (days.length <= MAX_DAYS && !allowed(midnight - days.length * DAY)) {
      days.push(midnight - days.length * DAY);
    }
    return days;
  };
  /** Asks day by day, and jumps over days for which there is nothing to ask. */
  const search = (
    from: number,
    find: (day: number, days: readonly number[]) => number | undefined,
    onward: (day: number, days: readonly number[]) => number | undefined,
    step: number,
  ) => {
    let day: number | undefined = midnightOf(from);
    for (let tries = 0; day !== undefined && tries < MAX_EMPTY_DAYS; tries++) {
      if (allowed(day)) {
        const days = sources(day);
        const found = find(day, days);
        if (found !== undefined) return found;
        day = onward(day, days);
      } else {
        day += step;
      }
    }
    return undefined;
  };
  return {
    repeating: walls.repeating,
    next: (wall) =>
      search(
        wall,
        (day, days) => {
          const found = days.map((source) => {
            const at = walls.next(Math.max(wall - day + source, source - 1));
            return at !== undefined && at < source + DAY ? at - source + day : Infinity;
          });
          const first = Math.min(...found);
          return first < Infinity ? first : undefined;
        },
        (day) => {
          const reached = walls.next(day + DAY - 1);
          return reached === undefined ? undefined : midnightOf(reached);
        },
        DAY,
      ),
    previous: (wall) =>
      search(
        wall - 1,
        (day, days) => {
          const found = days.map((source) => {
            const at = walls.previous(Math.min(wall - day + source, source + DAY));
            return at !== undefined && at >= source ? at - source + day : -Infinity;
          });
          const last = Math.max(...found);
          return last > -Infinity ? last : undefined;
        },
        (day, days) => {
          const reached = walls.previous(Math.min(...days));
          if (reached === undefined) return undefined;
          return Math.min(day - DAY, midnightOf(reached) + MAX_DAYS * DAY);
        },
        -DAY,
      ),
  };
}

function midnightOf(wall: number): number {
  return Math.floor(wall / DAY) * DAY;
}
