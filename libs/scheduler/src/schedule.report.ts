import type { OccurrenceOutcome, OccurrenceRow, ScheduleRow } from './schedule.journal.js';
import type { Buffered, RunReason } from './schedule.state.js';
import type { Trouble } from './schedule.trouble.js';

/** What a turn of a schedule leaves for people: rows of its journal, and troubles. */
export class ScheduleReport {
  readonly rows: ScheduleRow[] = [];
  readonly troubles: Trouble[] = [];

  constructor(private readonly now: number) {}

  note(what: 'created' | 'changed' | 'paused' | 'resumed', detail?: string): void {
    this.rows.push({ kind: 'note', what, at: this.now, ...(detail !== undefined && { detail }) });
  }

  /** @param at when; default: now */
  started(
    run: string,
    nominal: number,
    reason: RunReason,
    outcome: OccurrenceOutcome,
    at = this.now,
  ): void {
    this.rows.push({ kind: 'occurrence', outcome, nominal, at, run, reason });
  }

  /**
   * What became of an occurrence that does not run. Equal decisions about those that follow each other are one row.
   *
   * @param before nominal time of the occurrence before
   */
  decided(
    outcome: OccurrenceOutcome,
    nominal: number,
    before: number | undefined,
    reason?: RunReason,
  ): void {
    const last = this.rows.at(-1);
    if (
      last?.kind === 'occurrence' &&
      last.outcome === outcome &&
      last.reason === reason &&
      last.run === undefined &&
      before !== undefined &&
      endOf(last) === before &&
      nominal > before
    ) {
      return extend(last, nominal);
    }
    const row = { kind: 'occurrence', outcome, nominal, at: this.now } as const;
    this.rows.push({ ...row, ...(reason && { reason }) });
  }

  /**
   * Those that waited do not run. Of a thousand, most follow each other, and are one row.
   *
   * @param isNext whether an occurrence is the one after another
   */
  skipped(waited: readonly Buffered[], isNext: (before: number, nominal: number) => boolean): void {
    let row: OccurrenceRow | undefined;
    for (const { nominal, reason } of waited) {
      if (row?.reason === reason && isNext(endOf(row), nominal)) {
        extend(row, nominal);
        continue;
      }
      row = { kind: 'occurrence', outcome: 'skipped', nominal, at: this.now, reason };
      this.rows.push(row);
    }
  }

  /** A run that was to be sent is not: its occurrence is skipped. */
  withdrawn(run: string): void {
    const row = this.rows.find((each) => each.kind === 'occurrence' && each.run === run);
    if (row?.kind !== 'occurrence') return;
    row.outcome = 'skipped';
    delete row.run;
  }

  /** Of several in succession one trouble. */
  tell(kind: 'missed' | 'late', nominal: number): void {
    const last = this.troubles.at(-1);
    if (last?.kind === kind && last.nominal !== undefined) last.count = (last.count ?? 1) + 1;
    else this.troubles.push({ kind, nominal, detail: '' });
  }

  /** Once: one damage shows in several ways. */
  healed(problem: string): void {
    if (this.troubles.some(({ kind }) => kind === 'healed')) return;
    this.rows.push({ kind: 'note', what: 'healed', at: this.now, detail: problem });
    this.troubles.push({ kind: 'healed', detail: problem });
  }

  broken(problem: string): void {
    this.rows.push({ kind: 'note', what: 'broken', at: this.now, detail: problem });
    this.troubles.push({ kind: 'dead', detail: problem });
  }
}

function endOf({ nominal, until = nominal }: OccurrenceRow): number {
  return until;
}

function extend(row: OccurrenceRow, nominal: number): void {
  row.until = nominal;
  row.count = (row.count ?? 1) + 1;
}
