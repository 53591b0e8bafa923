import { CallsheetError, RejectError } from '@callsheet/messaging';

/** A row that is not what it should be. It is a dead letter; mend it and redrive it, or discard it. */
export class BadRowError extends RejectError {
  override readonly code = 'bad_row';
}

/** What `pull` answered is no page. */
export class PullError extends CallsheetError {
  readonly code = 'bad_page';

  constructor(
    readonly pipeline: string,
    readonly problem: string,
  ) {
    super(`pull of the pipeline '${pipeline}' ${problem}`);
  }
}

/** As many runs of the pipeline wait as may. */
export class TooManyRunsError extends CallsheetError {
  readonly code = 'too_many_runs';

  constructor(readonly pipeline: string) {
    super(`ten runs of '${pipeline}' wait already: see GET /v1/sync/${pipeline}, and ask later`);
  }
}

/** The pipeline is paused. */
export class PipelinePausedError extends CallsheetError {
  readonly code = 'pipeline_paused';

  constructor(readonly pipeline: string) {
    super(`'${pipeline}' is paused: resume it first`);
  }
}
