import type { RunReason } from './schedule.state.js';

/**
 * What became of an occurrence.
 *
 * - `fired`, `late`: it runs; late by more than the grace.
 * - `skipped`: a run was in work (`overlap`).
 * - `coalesced`: a later one that was missed as well runs in its place (`catchUp: 'latest'`).
 * - `missed`: nothing was there when it was due, and `catchUp` does not want it.
 * - `paused`: the schedule was paused.
 * - `backfilled`: it runs because somebody asked for this range of time.
 * - `triggered`: somebody asked for a run now.
 */
export type OccurrenceOutcome =
  'fired' | 'late' | 'skipped' | 'coalesced' | 'missed' | 'paused' | 'backfilled' | 'triggered';

/** What became of a run. `unknown`: nobody told, and its message is gone. */
export type RunOutcome =
  'succeeded' | 'failed' | 'cancelled' | 'terminated' | 'timed-out' | 'unknown';

/** A decision about an occurrence; or, with `count`, about all from `nominal` to `until`. */
export interface OccurrenceRow {
  kind: 'occurrence';
  outcome: OccurrenceOutcome;
  nominal: number;
  until?: number;
  count?: number;
  at: number;
  /** Id of the message that runs it. */
  run?: string;
  reason?: RunReason;
}

/** The end of a run. */
export interface EndRow {
  kind: 'end';
  run: string;
  nominal: number;
  outcome: RunOutcome;
  at: number;
  startedAt?: number;
  attempts?: number;
  error?: { name: string; message: string };
}

/** Something else that happened to a schedule. */
export interface NoteRow {
  kind: 'note';
  what: 'created' | 'changed' | 'paused' | 'resumed' | 'healed' | 'broken';
  at: number;
  detail?: string;
}

export type ScheduleRow = OccurrenceRow | EndRow | NoteRow;
