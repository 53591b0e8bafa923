import {
  Actors,
  CLOCK,
  ENGINE,
  Happenings,
  hasEnded,
  IdempotencyConflictError,
  InvalidMessageError,
  type Clock,
  type Engine,
  type Json,
  type Turn,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { noteRow, runRow } from './pipeline.journal.js';
import { messagesOf } from './pipeline.messages.js';
import type { DeclaredPipeline } from './pipeline.options.js';
import type { BadRow, PageOutcome } from './pipeline.js';
import { cut, takePage, takeRow } from './pipeline.page.js';
import {
  pipelineState,
  type EndedRun,
  type PipelineState,
  type Run,
  type WantedRun,
} from './pipeline.state.js';
import { BadRowError } from './sync.errors.js';
import { SyncMetrics } from './sync.metrics.js';

/** Pages by which the rate is measured. */
const RECENT = 20;
/** The most runs that wait. */
const MOST_WAITING = 10;
/** How much of a row that cannot travel is kept, characters. */
const KEPT = 10_000;

export type PipelineTurn = Turn<typeof pipelineState>;

interface StartOrder extends Pick<WantedRun, 'reason'> {
  from?: Json;
  until?: Json;
}
interface RowOrder {
  row: unknown;
  error: string;
  isUnread?: boolean;
}

/** What the turns of every pipeline do. A pipeline is one key of its actor, so they are one after the other. */
@Injectable()
export class PipelineRunner {
  constructor(
    private readonly actors: Actors,
    private readonly metrics: SyncMetrics,
    private readonly happenings: Happenings,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Its schedule is due. */
  async scheduled({ name }: DeclaredPipeline): Promise<void> {
    const { StartRun } = messagesOf(name);
    await this.actors.tell(new StartRun({ key: name, reason: 'scheduled' }));
  }

  /** Begins a run, now or when those in work and before it have ended. */
  async start(pipeline: DeclaredPipeline, order: StartOrder, turn: PipelineTurn) {
    const { state } = turn;
    if (state.pause) return { outcome: 'paused' as const };
    await this.bury(pipeline, turn);
    const { reason, from, until } = order;
    const wanted: WantedRun = {
      id: turn.id,
      reason,
      ...(reason === 'backfill' && { from: from ?? null }),
      ...(until !== undefined && { until }),
    };
    // The run in work reads on until there is no more, so it reads what this one would.
    const like = [...(state.run ? [state.run] : []), ...state.waiting].find(isUsual);
    if (isUsual(wanted) && like) return { outcome: 'running' as const, run: like.id };
    if (!state.run) {
      await this.begin(pipeline, wanted, turn);
      return { outcome: 'started' as const, run: wanted.id };
    }
    if (state.waiting.length >= MOST_WAITING) return { outcome: 'full' as const };
    state.waiting.push(wanted);
    await this.follow(pipeline, state);
    return { outcome: 'queued' as const, run: wanted.id };
  }

  /** One page: its rows are pushed, then its cursor, its bad rows and its successor are committed in one step, or none of it. */
  async page(pipeline: DeclaredPipeline, turn: PipelineTurn): Promise<void> {
    const { run, pause, cursor } = turn.state;
    // Of a run that is over, or redriven too late; or its run waits until it is resumed.
    if (!run || run.page !== turn.id || pause) return;
    const startedAt = this.clock.now();
    const backfill = !isUsual(run);
    const order = { cursor: backfill ? (run.from ?? null) : cursor, until: run.until, backfill };
    const isRefused = await this.isRefused(pipeline, run, turn);
    const outcome = await takePage(pipeline, order, turn as Turn, this.actors, isRefused);
    await this.letGo(pipeline, outcome.bad);
    this.count(turn.state, run, outcome, turn.attempt, startedAt);
    this.metrics.page(pipeline.name, outcome.rows, outcome.bad.length);
    if (outcome.more) await this.turnPage(pipeline, run, turn.state);
    else await this.end(pipeline, turn, { outcome: 'done' });
  }

  /** Begins the next run that waits, if the page of the one in work was given up. */
  async startWaiting(pipeline: DeclaredPipeline, turn: PipelineTurn): Promise<void> {
    const { run, pause } = turn.state;
    if (!run || pause) return;
    const page = await this.engine.find(run.page, [pipeline.name]);
    if (page?.state === 'dead') await this.bury(pipeline, turn);
  }

  /** A bad row. The first time it becomes a dead letter, with what is wrong with it; redriven it is pushed. */
  async row(pipeline: DeclaredPipeline, order: RowOrder, turn: PipelineTurn): Promise<void> {
    const { row, error, isUnread } = order;
    const record = await this.engine.find(turn.id, [pipeline.name]);
    if (isUnread || !record?.redrives) throw new BadRowError(error);
    await takeRow(pipeline, row, turn as Turn, this.actors, (problem) => new BadRowError(problem));
    turn.state.totals.rows++;
    this.metrics.page(pipeline.name, 1, 0);
  }

  pause({ name }: Pick<DeclaredPipeline, 'name'>, reason: string, turn: PipelineTurn): boolean {
    const isPaused = turn.state.pause !== undefined;
    turn.state.pause = { at: turn.now.getTime(), reason };
    if (!isPaused) this.note(name, turn, 'paused', reason);
    return !isPaused;
  }

  async resume(pipeline: DeclaredPipeline, turn: PipelineTurn): Promise<boolean> {
    const { pause, run } = turn.state;
    if (!pause) return false;
    delete turn.state.pause;
    this.note(pipeline.name, turn, 'resumed');
    // Its page has come and gone meanwhile, or was cancelled.
    if (run) await this.turnPage(pipeline, run, turn.state);
    return true;
  }

  async reset(pipeline: DeclaredPipeline, cursor: Json, turn: PipelineTurn): Promise<boolean> {
    const { state } = turn;
    state.waiting = [];
    await this.end(pipeline, turn, { outcome: 'stopped' });
    state.cursor = cursor;
    delete state.syncedTo;
    this.note(pipeline.name, turn, 'reset', JSON.stringify(cursor));
    return true;
  }

  private async begin(
    pipeline: DeclaredPipeline,
    wanted: WantedRun,
    { state, now }: PipelineTurn,
  ): Promise<void> {
    state.recent = [];
    const none = { rows: 0, bad: 0, pages: 0, errors: 0 };
    state.run = { ...wanted, ...none, startedAt: now.getTime(), page: '' };
    await this.turnPage(pipeline, state.run, state);
  }

  /** From now on the page of the run is this one. */
  private async turnPage(
    pipeline: DeclaredPipeline,
    run: Run,
    state: PipelineState,
  ): Promise<void> {
    const { NextPage } = messagesOf(pipeline.name);
    const { id } = await this.actors.tell(new NextPage({ key: pipeline.name }));
    run.page = id;
    await this.follow(pipeline, state);
  }

  /** Ends the run in work, and begins the next that waits. */
  private async end(
    pipeline: DeclaredPipeline,
    turn: PipelineTurn,
    how: Pick<EndedRun, 'outcome' | 'error'>,
  ): Promise<void> {
    const { state } = turn;
    if (!state.run) return;
    const { page: _, ...run } = state.run;
    const ended: EndedRun = { ...run, ...how, finishedAt: this.clock.now() };
    delete state.run;
    state.last = ended;
    this.metrics.run(pipeline.name, ended);
    // Of a source that is asked every few seconds most runs find nothing.
    const isEmpty = ended.rows + ended.bad + ended.errors === 0 && ended.outcome === 'done';
    if (!isEmpty || ended.reason !== 'scheduled') {
      turn.journal(runRow(ended));
      const { id, reason, outcome, rows, bad, errors } = ended;
      const details = { what: outcome, run: id, reason, rows, bad, errors };
      this.happenings.tell('pipeline', () => ({ ...details, pipeline: pipeline.name }));
    }
    const next = state.waiting.shift();
    if (next) await this.begin(pipeline, next, turn);
  }

  /** Keeps what was done to a pipeline, and tells of it. */
  private note(
    pipeline: string,
    turn: PipelineTurn,
    what: 'paused' | 'resumed' | 'reset',
    detail?: string,
  ): void {
    turn.journal(noteRow(what, detail));
    this.happenings.tell('pipeline', () => ({ pipeline, what }));
  }

  /** Has the page in work followed by what looks whether it was given up, while runs wait. */
  private async follow({ name }: DeclaredPipeline, { waiting }: PipelineState): Promise<void> {
    const { StartWaiting } = messagesOf(name);
    if (waiting.length > 0) await this.actors.tell(new StartWaiting({ key: name }));
  }

  /** A run whose page is no more is over: nothing has told so, because a turn that fails leaves nothing. */
  private async bury(pipeline: DeclaredPipeline, turn: PipelineTurn): Promise<void> {
    const { run, totals } = turn.state;
    if (!run) return;
    const page = await this.engine.find(run.page, [pipeline.name]);
    // It cannot be in work: this turn is.
    if (page && !hasEnded(page.state)) return;
    const errors = page?.history.length ?? 0;
    run.errors += errors;
    totals.errors += errors;
    const error = page?.state === 'dead' ? page.history.at(-1)?.error : undefined;
    await this.end(pipeline, turn, {
      outcome: page?.state === 'cancelled' ? 'stopped' : 'failed',
      ...(error && { error: { name: error.name, message: error.message } }),
    });
  }

  /** Whether the attempt before, or the run before, failed because an id was used for another message. */
  private async isRefused({ name }: DeclaredPipeline, run: Run, turn: PipelineTurn) {
    const { last } = turn.state;
    if (run.pages === 0 && last?.error?.name === IdempotencyConflictError.name) return true;
    if (turn.attempt === 1) return false;
    const record = await this.engine.find(turn.id, [name]);
    return record?.history.at(-1)?.error.name === IdempotencyConflictError.name;
  }

  private count(
    state: PipelineState,
    run: Run,
    { rows, bad, cursor, at }: PageOutcome,
    attempt: number,
    startedAt: number,
  ): void {
    for (const sums of [run, state.totals]) {
      sums.rows += rows;
      sums.bad += bad.length;
      sums.pages += 1;
      sums.errors += attempt - 1;
    }
    const now = this.clock.now();
    state.recent = [...state.recent, { at: now, ms: now - startedAt, rows }].slice(-RECENT);
    if (isUsual(run)) {
      state.cursor = cursor;
      if (at !== undefined) state.syncedTo = Math.max(at, state.syncedTo ?? 0);
    } else run.from = cursor;
  }

  /** Bad rows become dead letters, with the commit of their page. */
  private async letGo({ name }: DeclaredPipeline, bad: readonly BadRow[]): Promise<void> {
    const { TakeRow } = messagesOf(name);
    for (const { row, error } of bad) {
      const isText = typeof row === 'string';
      try {
        const order = { key: name, row, error, ...(isText && { isUnread: true }) };
        await this.actors.tell(new TakeRow(order));
      } catch (problem) {
        if (!(problem instanceof InvalidMessageError)) throw problem;
        const text = excerptOf(row);
        await this.actors.tell(new TakeRow({ key: name, row: text, error, isUnread: true }));
      }
    }
  }
}

/** Whether a run goes on from the cursor of its pipeline. */
function isUsual({ reason }: Pick<WantedRun, 'reason'>): boolean {
  return reason !== 'backfill';
}

/** What can be said of a row that cannot travel. */
function excerptOf(row: unknown): string {
  try {
    return cut(JSON.stringify(row) ?? String(row), KEPT);
  } catch {
    return '[a row that is no JSON]';
  }
}
