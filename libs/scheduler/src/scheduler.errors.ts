import { CallsheetError } from '@callsheet/messaging';

/** There is a schedule of this id already. */
export class ScheduleExistsError extends CallsheetError {
  readonly code = 'schedule_exists';

  constructor(readonly id: string) {
    super(`there is a schedule '${id}' already: update it, or choose another id`);
  }
}

/** The schedule is declared in code: only a release of that code changes or removes it. */
export class DeclaredScheduleError extends CallsheetError {
  readonly code = 'declared_schedule';

  constructor(readonly id: string) {
    super(
      `the schedule '${id}' is declared in code, and changes with it: pause it, or change its decorator`,
    );
  }
}

/** The schedule is not as whoever changes it has seen it: somebody else was there before. */
export class ScheduleChangedError extends CallsheetError {
  readonly code = 'schedule_changed';

  /** @param revision that it has now; undefined: there is none of this id */
  constructor(
    readonly id: string,
    readonly revision: number | undefined,
  ) {
    super(
      revision === undefined
        ? `there is no schedule '${id}'`
        : `the schedule '${id}' has revision ${revision}: look at it, and decide about that one`,
    );
  }
}

/** As many backfills of the schedule are under way as there may be. */
export class TooManyBackfillsError extends CallsheetError {
  readonly code = 'too_many_backfills';

  constructor(readonly id: string) {
    super(`ten backfills of '${id}' are under way: wait until one has ended`);
  }
}
