/**
 * Times on a wall clock, which knows no zone: what a cron pattern or an RRULE says before a zone and its changes of clocks turn it
 * into instants. Wall times are ms since 1970-01-01T00:00 on the wall, as if it were UTC.
 */
export interface WallTimes {
  /** Whether it says "again and again" rather than a time of day; see DstRule. */
  readonly repeating: boolean;
  /** The first one after `wall`. */
  next(wall: number): number | undefined;
  /** The last one before `wall`. */
  previous(wall: number): number | undefined;
}
