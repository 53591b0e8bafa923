import type { Json, MessageRecord } from '@callsheet/messaging';
import type { EndedRun, PipelineState, RunReason } from './pipeline.state.js';

/** What pages come to. */
export interface PageCounts {
  /** Rows that were pushed. */
  rows: number;
  /** Rows that became dead letters. */
  bad: number;
  pages: number;
  /** Failed attempts at pages. */
  errors: number;
}

/** The run in work. */
export interface RunRecord extends PageCounts {
  id: string;
  reason: RunReason;
  startedAt: Date;
  /** Id of the message that is its next page. */
  page: string;
}

/** The run that ended last. */
export interface EndedRunRecord extends Omit<RunRecord, 'page'> {
  /** 'failed': its page was given up. 'stopped': the pipeline was reset, or its page cancelled. */
  outcome: EndedRun['outcome'];
  finishedAt: Date;
  error?: { name: string; message: string };
}

/** A pipeline, as it is now. */
export interface PipelineRecord extends PageCounts {
  name: string;
  /**
   * - `idle`: nothing to do until its next run.
   * - `running`: a run is in work.
   * - `retrying`: its page has failed, and is tried again.
   * - `failed`: the page of its run was given up. The next run begins at the same cursor; so does its dead letter, redriven before.
   * - `paused`: until somebody resumes it.
   */
  state: 'idle' | 'running' | 'retrying' | 'failed' | 'paused';
  every?: string;
  cron?: string;
  tz?: string;
  /** Where its next page begins. */
  cursor: Json;
  /** Up to when its source has been read completely; undefined: never yet. */
  syncedTo?: Date;
  /** How far it is behind its source, ms: the time since `syncedTo`. */
  lag?: number;
  /** Rows a second, over the last 20 pages of the run in work or the last one. */
  rate?: number;
  run?: RunRecord;
  last?: EndedRunRecord;
  pause?: { at: Date; reason: string };
  /** How many runs wait for that in work. */
  waiting: number;
  /** The failure that it is in. */
  failure?: { attempts: number; name: string; message: string; at: Date };
}

/** @param page the message of its run's next page */
export function toPipelineRecord(
  name: string,
  { every, cron, tz }: { every?: string; cron?: string; tz?: string },
  state: PipelineState,
  page: MessageRecord | undefined,
  now: number,
): PipelineRecord {
  const { run, last, pause, syncedTo, waiting, totals, cursor } = state;
  const failure = run && page && failureOf(page);
  const rate = rateOf(state);
  return {
    name,
    state: pause ? 'paused' : !run ? 'idle' : stateOf(page),
    ...totals,
    ...(every !== undefined && { every }),
    ...(cron !== undefined && { cron }),
    ...(tz !== undefined && { tz }),
    cursor,
    ...(syncedTo !== undefined && {
      syncedTo: new Date(syncedTo),
      lag: Math.max(0, now - syncedTo),
    }),
    ...(rate !== undefined && { rate }),
    ...(run && { run: toRunRecord(run) }),
    ...(last && { last: toEndedRecord(last) }),
    ...(pause && { pause: { at: new Date(pause.at), reason: pause.reason } }),
    waiting: waiting.length,
    ...(failure && { failure }),
  };
}

function stateOf(page: MessageRecord | undefined): PipelineRecord['state'] {
  if (!page || page.state === 'dead' || page.state === 'cancelled') return 'failed';
  return page.history.length > 0 ? 'retrying' : 'running';
}

function failureOf({ history }: MessageRecord): PipelineRecord['failure'] {
  const latest = history.at(-1);
  if (!latest) return undefined;
  const { error, finishedAt } = latest;
  const { name, message } = error;
  return { attempts: history.length, name, message, at: new Date(finishedAt) };
}

function rateOf({ recent }: PipelineState): number | undefined {
  const [first, latest] = [recent[0], recent.at(-1)];
  if (!first || !latest) return undefined;
  const rows = recent.reduce((sum, each) => sum + each.rows, 0);
  const took = Math.max(1, latest.at - (first.at - first.ms));
  return Math.round((rows / took) * 100_000) / 100;
}

function toRunRecord(run: NonNullable<PipelineState['run']>): RunRecord {
  const { id, reason, startedAt, rows, bad, pages, errors, page } = run;
  return { id, reason, rows, bad, pages, errors, startedAt: new Date(startedAt), page };
}

function toEndedRecord(ended: EndedRun): EndedRunRecord {
  const { id, reason, outcome, startedAt, finishedAt, rows, bad, pages, errors, error } = ended;
  return {
    ...{ id, reason, outcome, rows, bad, pages, errors },
    startedAt: new Date(startedAt),
    finishedAt: new Date(finishedAt),
    ...(error && { error }),
  };
}
