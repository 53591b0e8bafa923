import { METRICS, type MetricCounter, type Metrics } from '@callsheet/messaging';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { EndedRun } from './pipeline.state.js';

/** Counts what pipelines of this process do. Nothing where metrics are off. */
@Injectable()
export class SyncMetrics {
  private readonly rows: MetricCounter<'pipeline' | 'outcome'> | undefined;
  private readonly runs: MetricCounter<'pipeline' | 'outcome'> | undefined;

  constructor(@Optional() @Inject(METRICS) metrics?: Metrics) {
    this.rows = metrics?.counterOf(
      'callsheet_sync_rows_total',
      'Rows of pipelines: pushed, or bad.',
      ['pipeline', 'outcome'],
    );
    this.runs = metrics?.counterOf(
      'callsheet_sync_runs_total',
      'Runs of pipelines that ended: done, failed, stopped.',
      ['pipeline', 'outcome'],
    );
  }

  /** Counts a page, before it is committed. */
  page(pipeline: string, rows: number, bad: number): void {
    if (rows > 0) this.rows?.inc({ pipeline, outcome: 'pushed' }, rows);
    if (bad > 0) this.rows?.inc({ pipeline, outcome: 'bad' }, bad);
  }

  run(pipeline: string, { outcome }: EndedRun): void {
    this.runs?.inc({ pipeline, outcome });
  }
}
