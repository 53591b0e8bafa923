import type { Details } from '@callsheet/messaging';
import type { ScheduleReport } from './schedule.report.js';

/** What a turn of a schedule leaves for who looks on: that it was changed, paused or resumed, and what is wrong with it. */
export function happeningsOf({
  rows,
  troubles,
}: Pick<ScheduleReport, 'rows' | 'troubles'>): Details[] {
  // Of troubles there are notes too.
  const notes = rows.flatMap((row) =>
    row.kind === 'note' && row.what !== 'healed' && row.what !== 'broken' ? [row.what] : [],
  );
  const told = troubles.filter(({ kind }) => kind !== 'paused' || !notes.includes(kind));
  return [
    ...notes.map((what) => ({ what })),
    ...told.map(({ kind, nominal, count }) => ({
      what: kind,
      nominal: nominal === undefined ? undefined : new Date(nominal).toISOString(),
      count,
    })),
  ];
}
