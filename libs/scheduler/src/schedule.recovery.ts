import { readable, type Engine, type JournalRow, type Turn } from '@callsheet/messaging';
import type { EndRow, OccurrenceRow, ScheduleRow } from './schedule.journal.js';
import type { ScheduleState, storedSchedule } from './schedule.state.js';
import { SCHEDULES } from './timer.js';

/** How many rows of a journal are read to find out what a lost state knew. */
const READ_BACK = 1_000;

/**
 * A state that was lost goes on where the journal ends, before the turn does anything else; answers what was wrong. One of which
 * nobody knows any more what it was keeps its damage.
 */
export async function recovered(
  engine: Pick<Engine, 'journal'>,
  { state, key = '', attempt, now }: Turn<typeof storedSchedule>,
): Promise<string | undefined> {
  const isLost = state.damage !== undefined || !state.definition;
  // A turn that has failed before may have failed because its state says what is not so.
  if (!isLost && attempt === 1) return undefined;
  const rows = await engine.journal(SCHEDULES, key, { limit: READ_BACK });
  for (const { row } of rows) readable(`journal of ${SCHEDULES} '${key}':`, { data: row });
  const past = pastOf(rows);
  if (!isLost) return caughtUp(state, past?.decided ?? 0);
  if (past || state.definition) recover(state, past, now.getTime());
  if (state.definition) {
    const { problem = '' } = state.damage ?? {};
    delete state.damage;
    return problem;
  }
  if (past) state.damage ??= { problem: 'its state was gone', found: '' };
  return undefined;
}

function caughtUp(state: ScheduleState, decided: number): string | undefined {
  if (state.watermark >= decided) return undefined;
  state.watermark = state.previous = decided;
  return 'what was decided was to be decided again';
}

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
