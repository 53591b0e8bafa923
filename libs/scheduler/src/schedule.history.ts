import type { JournalRow } from '@callsheet/messaging';
import type { OccurrenceOutcome, RunOutcome, ScheduleRow } from './schedule.journal.js';
import type { RunReason } from './schedule.state.js';

/** A line of the history of a schedule: a decision about occurrences, the end of a run, or something else that happened. */
export type HistoryEntry = { /** Place in the history. */ cursor: string; at: Date } & (
  | {
      kind: 'occurrence';
      outcome: OccurrenceOutcome;
      nominal: Date;
      /** The last of several that the same was decided about, and how many they are. */
      until?: Date;
      count: number;
      run?: string;
      reason?: RunReason;
    }
  | {
      kind: 'end';
      run: string;
      nominal: Date;
      outcome: RunOutcome;
      startedAt?: Date;
      /** From the nominal time to the start of the last attempt, ms. */
      drift?: number;
      attempts?: number;
      error?: { name: string; message: string };
    }
  | { kind: 'note'; what: string; detail?: string }
);

/** @param row of the journal of a schedule */
export function toHistoryEntry({ id: cursor, at, row }: JournalRow): HistoryEntry {
  const found = row as unknown as ScheduleRow;
  const common = { cursor, at: new Date(at) };
  switch (found.kind) {
    case 'occurrence': {
      const { nominal, until, count = 1, outcome, run, reason } = found;
      return {
        ...common,
        kind: 'occurrence',
        outcome,
        nominal: new Date(nominal),
        ...(until !== undefined && { until: new Date(until) }),
        count,
        ...(run !== undefined && { run }),
        ...(reason !== undefined && { reason }),
      };
    }
    case 'end': {
      const { run, nominal, outcome, startedAt, attempts, error } = found;
      return {
        ...common,
        kind: 'end',
        run,
        nominal: new Date(nominal),
        outcome,
        ...(startedAt !== undefined && {
          startedAt: new Date(startedAt),
          drift: startedAt - nominal,
        }),
        ...(attempts !== undefined && { attempts }),
        ...(error && { error }),
      };
    }
    case 'note':
      return {
        ...common,
        kind: 'note',
        what: found.what,
        ...(found.detail !== undefined && { detail: found.detail }),
      };
  }
}
