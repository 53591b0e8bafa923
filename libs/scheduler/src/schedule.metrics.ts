import { METRICS, type MetricCounter, type Metrics } from '@callsheet/messaging';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { ScheduleReport } from './schedule.report.js';

/** Counts what schedules of this process decide. Nothing where metrics are off. */
@Injectable()
export class ScheduleMetrics {
  private readonly occurrences: MetricCounter<'outcome'> | undefined;
  private readonly runs: MetricCounter<'outcome'> | undefined;
  private readonly troubles: MetricCounter<'kind'> | undefined;

  constructor(@Optional() @Inject(METRICS) metrics?: Metrics) {
    this.occurrences = metrics?.counterOf(
      'callsheet_schedule_occurrences_total',
      'Decisions about occurrences of schedules: fired, late, skipped, coalesced, missed, paused, triggered, backfilled.',
      ['outcome'],
    );
    this.runs = metrics?.counterOf(
      'callsheet_schedule_runs_total',
      'Runs of schedules that ended: succeeded, failed, cancelled, terminated, timed-out, unknown.',
      ['outcome'],
    );
    this.troubles = metrics?.counterOf(
      'callsheet_schedule_troubles_total',
      'What was wrong with schedules: missed, late, failing, paused, dead, healed.',
      ['kind'],
    );
  }

  /** Counts what a turn leaves, before it is stored. */
  count({ rows, troubles }: Pick<ScheduleReport, 'rows' | 'troubles'>): void {
    for (const row of rows) {
      if (row.kind === 'occurrence') {
        this.occurrences?.inc({ outcome: row.outcome }, row.count ?? 1);
      } else if (row.kind === 'end') this.runs?.inc({ outcome: row.outcome });
    }
    for (const { kind, count = 1 } of troubles) this.troubles?.inc({ kind }, count);
  }
}
