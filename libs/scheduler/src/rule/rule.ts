import type { Duration } from '@callsheet/messaging';

/**
 * What happens at a change of the clocks, by the wall clock of the zone. It concerns cron patterns, RRULEs and local dates;
 * `every` counts real time and knows no change of clocks. A pattern with `*` or a step in its second, minute or hour, and an
 * RRULE that is HOURLY or more often, is *repeating*: by each of these rules it goes on in real time, through both passes of a
 * repeated hour, and what is missing does not run. For all others:
 *
 * | | a time that is missing (02:30 when the clock goes from 02:00 to 03:00) | a time that occurs twice |
 * |---|---|---|
 * | `once` (default) | runs at the end of the gap: 03:00 | the first |
 * | `skip` | does not run that day | the first |
 * | `shift` | runs later by the length of the gap: 03:30 | the first |
 * | `each` | does not run that day | both |
 */
export type DstRule = 'once' | 'skip' | 'shift' | 'each';

/** A day of the week, in calendars. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/**
 * Times that a schedule keeps to (`include`) or leaves out (`exclude`). One of three kinds, all read in the zone of the rule:
 * days of the week and hours, dates, or an iCalendar text such as the holidays of a country.
 */
export interface Calendar {
  /** Days of the week; with `hours`, both must hold. */
  days?: readonly Weekday[];
  /**
   * Times of day, `'09:00-17:30'`: the first minute belongs to it, the last does not. `'22:00-06:00'` goes over midnight: it
   * holds before 06:00 and from 22:00 on.
   */
  hours?: string | readonly string[];
  /** Days, `'2026-12-24'`; every year, `'12-25'`; from and to, both included, `'2026-12-24/2027-01-02'`. At most 1,000. */
  dates?: string | readonly string[];
  /**
   * Text of an iCalendar file (RFC 5545), at most 262,144 characters and 1,000 events. Of each VEVENT: DTSTART, DTEND or DURATION,
   * RRULE, RDATE, EXDATE; cancelled ones count for nothing. Days are days in the zone of the rule, times are instants.
   */
  ics?: string;
}

/**
 * When a schedule runs: exactly one of `cron`, `every`, `at`, `rrule`, and what narrows or spreads it. All of it is data: what
 * {@link checkRule} makes of it survives JSON.
 */
export interface ScheduleRule {
  /**
   * A cron pattern of five fields (minute first) or six (second first), or up to ten of them, which run when any does.
   * Names (`MON`, `JAN`), lists, ranges also backwards (`FRI-MON`, `22-2`), steps, `L`, `L-3`, `15W`, `LW`, `MON#2`, `FRIL`;
   * days of month and of week that are both given are alternatives, `+MON` demands both. `H`, `H/15`, `H(0-29)` are values
   * drawn from the seed. `@yearly`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`, `@minutely`, `@weekdays`,
   * `@weekends`; `@every 10m`, which is the option `every`. `TZ=Europe/Madrid ` in front is the option `tz`.
   */
  cron?: string | readonly string[];
  /** The time from one run to the next, at least 100 ms; aligned to `start`, else to 1970-01-01T00:00Z. */
  every?: Duration;
  /** With `every`: how much later than aligned; less than `every`. Default 0. */
  phase?: Duration;
  /** A date, or up to 1,000: a Date, ISO text with `Z` or offset, or a local time of `tz` (`'2026-12-24T18:00'`). */
  at?: Date | string | readonly (Date | string)[];
  /**
   * A recurrence rule of RFC 5545: `'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17'`, or lines of DTSTART, RRULE, EXDATE, RDATE. DTSTART is the
   * phase of the rule; without it `start` is. It counts as an occurrence only when it matches. COUNT at most 1,000.
   */
  rrule?: string;
  /** The zone in which times are read: an IANA name or a fixed offset, `'+05:30'`. Default 'UTC'. */
  tz?: string;
  /** What happens at a change of the clocks. Default 'once'. */
  dst?: DstRule;
  /** No occurrence before it: a Date, ISO text, or a local time of `tz`. */
  start?: Date | string;
  /** No occurrence after it; one at this very time is the last. */
  end?: Date | string;
  /** How many occurrences there are, counted by who runs them; 1 to 1,000,000,000. Default: no limit. */
  limit?: number;
  /** Keep only occurrences that one of these calendars (at most 20) has. */
  include?: Calendar | readonly Calendar[];
  /** Leave out occurrences that one of these calendars (at most 20) has. */
  exclude?: Calendar | readonly Calendar[];
  /**
   * What becomes of an occurrence that the calendars leave out: dropped ('drop', the default), or moved to the same time of the
   * next day that they let run ('next-day'), at most 31 days. Moving needs `cron` or `rrule`, and calendars of whole days.
   */
  onExcluded?: 'drop' | 'next-day';
  /**
   * Runs a schedule later than nominal, always by the same part of this span, drawn from the seed: many schedules of one nominal
   * time are spread over it. A percentage is one of the time to the next nominal. It never reaches the next nominal.
   */
  window?: Duration | `${number}%`;
  /** Runs each occurrence later by up to this, drawn from the seed and the nominal time. It never reaches the next nominal. */
  jitter?: Duration;
  /** What `H`, `window` and `jitter` are drawn from, at most 512 characters. Default: the id of the schedule. */
  seed?: string;
}

/**
 * A rule that has been checked: defaults set, durations in milliseconds, times as UTC in ISO text, `H` drawn, one spelling of
 * everything. Two rules that mean the same are usually equal; JSON and back changes nothing; checking it again neither.
 */
export interface CheckedRule {
  readonly cron?: readonly string[];
  readonly every?: number;
  readonly phase?: number;
  readonly at?: readonly string[];
  readonly rrule?: string;
  readonly tz: string;
  readonly dst: DstRule;
  readonly start?: string;
  readonly end?: string;
  readonly limit?: number;
  readonly include?: readonly Calendar[];
  readonly exclude?: readonly Calendar[];
  readonly onExcluded: 'drop' | 'next-day';
  readonly window?: number | `${number}%`;
  readonly jitter?: number;
  readonly seed: string;
}
