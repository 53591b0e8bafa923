import type { JournalRow } from '@callsheet/messaging';
import type { EndRow, OccurrenceRow, ScheduleRow } from './schedule.journal.js';
import type { ScheduleState } from './schedule.state.js';

/** How many rows of a journal are read to find out what a lost state knew. */
export const READ_BACK = 1_000;

/** What a schedule had done, as its journal tells. */
export interface Past {
  /** When it was made, as far as the rows go back. */
  since: number;
  /** Nominal time of the occurrence decided last. */
  decided?: number | undefined;
  /** Occurrences decided. */
  count: number;
  /** Runs of which no end is known. */
  open: readonly OccurrenceRow[];
}

/** @param rows newest first; @returns undefined when there are none */
export function pastOf(rows: readonly JournalRow[]): Past | undefined {
  const oldest = rows.at(-1);
  if (!oldest) return undefined;
  const all = rows.map(({ row }) => row as unknown as ScheduleRow);
  const decisions = all.filter((row) => row.kind === 'occurrence');
  const ofRule = decisions.filter(({ outcome, reason }) => {
    return reason !== 'manual' && reason !== 'backfill' && outcome !== 'backfilled';
  });
  const ended = new Set(all.filter(isEnd).map(({ run }) => run));
  const last = ofRule.map(({ nominal, until = nominal }) => until);
  return {
    since: oldest.at,
    decided: last.length > 0 ? Math.max(...last) : undefined,
    count: ofRule.reduce((sum, { count = 1 }) => sum + count, 0),
    open: decisions.filter(({ run }) => run !== undefined && !ended.has(run)).reverse(),
  };
}

/** Makes a state that has lost what it knew go on where its journal ends; without one, from now on. */
export function recover(state: ScheduleState, past: Past | undefined, now: number): void {
  const { since, decided, count, open } = past ?? { since: now, count: 0, open: [] };
  state.createdAt = since;
  state.watermark = state.changedAt = decided ?? since;
  state.decided = count;
  if (decided !== undefined) state.previous = decided;
  const actor = state.definition?.message.actor;
  if (actor === undefined) return;
  state.running = open.map(({ run = '', nominal, reason = 'scheduled', at }) => {
    return { id: run, actor, nominal, reason, startedAt: at };
  });
}

function isEnd(row: ScheduleRow): row is EndRow {
  return row.kind === 'end';
}
