/** A schedule with its next runs. */
interface Upcoming {
  id: string;
  /** ISO 8601, soonest first. */
  times: readonly string[];
  /** There are more behind these. */
  cut: boolean;
}

/** Runs of one schedule on one day. */
export interface Entry {
  id: string;
  /** Milliseconds since the epoch; of several the first and the last. */
  first: number;
  last: number;
  count: number;
}

export interface Day {
  /** Its midnight, in the time of who looks. */
  start: number;
  entries: Entry[];
}

/** More runs of a schedule on one day than this stand as one entry. */
const EACH = 3;

/** The next runs of all schedules, day by day; `frequent` are those that run so often that the days are not all known. */
export function calendarOf(
  upcoming: readonly Upcoming[],
  now: number,
  days: number,
): { days: Day[]; frequent: string[] } {
  const starts = Array.from({ length: days + 1 }, (_, index) => midnight(now, index));
  const end = starts.at(-1) ?? now;
  const isFrequent = ({ times, cut }: Upcoming): boolean =>
    cut && Date.parse(times.at(-1) ?? '') < end;
  const known = upcoming.filter((schedule) => !isFrequent(schedule));
  return {
    days: starts.slice(0, -1).map((start, index) => ({
      start,
      entries: known
        .flatMap(({ id, times }) => entriesOf(id, times, start, starts[index + 1] ?? end))
        .sort((one, other) => one.first - other.first || one.id.localeCompare(other.id)),
    })),
    frequent: upcoming.filter(isFrequent).map(({ id }) => id),
  };
}

function entriesOf(id: string, times: readonly string[], from: number, to: number): Entry[] {
  const within = times.map((time) => Date.parse(time)).filter((time) => time >= from && time < to);
  if (within.length <= EACH)
    return within.map((time) => ({ id, first: time, last: time, count: 1 }));
  return [{ id, first: Math.min(...within), last: Math.max(...within), count: within.length }];
}

/** Of the day so many days after; a day need not have 24 hours. */
function midnight(now: number, days: number): number {
  const date = new Date(now);
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() + days);
  return date.getTime();
}
