import {
  Actors,
  CLOCK,
  ENGINE,
  InvalidMessageError,
  Keys,
  OptionError,
  readable,
  type AskOptions,
  type Clock,
  type Engine,
  type Json,
  type MessageInstance,
  type ReplyOf,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DirectoryActor, RemovePipeline } from './directory.actor.js';
import { toEntry, type PipelineEntry } from './pipeline.journal.js';
import { messagesOf } from './pipeline.messages.js';
import { toPipelineRecord, type PipelineRecord } from './pipeline.record.js';
import { pipelineState } from './pipeline.state.js';
import { PipelinePausedError, TooManyRunsError } from './sync.errors.js';

/** A part of the source that is to be read again, beside the cursor of the pipeline, which stays where it is. */
export interface BackfillRange {
  /** Cursor at which it begins. Default null: the beginning. */
  from?: Json;
  /** Where it ends, as the source understands it. Default: the end of the source. */
  until?: Json;
}

/** What became of a request for a run. */
export interface StartedRun {
  /** 'running': one is in work, or waits, that reads whatever is there by now; 'queued': it begins when others have ended. */
  outcome: 'started' | 'running' | 'queued';
  /** Id of that run. */
  run: string;
}

/** Options of {@link Pipelines.run} and {@link Pipelines.backfill}. */
export interface RunOptions {
  /** Asked for with the same id again, it is the same request; 1 to 200 characters. */
  id?: string;
}

/** Which pipelines, and how many. */
export interface PipelineListOptions {
  /** Those whose name comes after this one. */
  after?: string;
  /** How many at most, 1 to 1,000. Default 100. */
  limit?: number;
  /** Those whose page has failed, or was given up. */
  troubled?: boolean;
}

const ASK: AskOptions = { timeout: '10s' };
/** Pipelines that are looked at together for troubles, and how many times at most. */
const PAGE = 100;
const MOST_PAGES = 100;
/** How often a pipeline is looked at while it is asked something, and how many times at most: longer than it is waited for. */
const LOOK = 250;
const MOST_LOOKS = 60;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** The pipelines of this installation, in whatever process they run. Inject it anywhere outside of handlers. */
@Injectable()
export class Pipelines {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Pipelines by name. For those that are troubled it looks at 10,000 at most.
   *
   * @throws OptionError
   */
  async list({ after, limit = 100, troubled }: PipelineListOptions = {}): Promise<
    PipelineRecord[]
  > {
    if (troubled !== true) return this.page(limit, after);
    const found: PipelineRecord[] = [];
    let place = after;
    for (let pages = 0; pages < MOST_PAGES && found.length < limit; pages++) {
      const page = await this.page(PAGE, place);
      found.push(...page.filter(({ state }) => state === 'failed' || state === 'retrying'));
      place = page.at(-1)?.name;
      if (page.length < PAGE) break;
    }
    return found.slice(0, limit);
  }

  /** One pipeline, or undefined. */
  async get(name: string): Promise<PipelineRecord | undefined> {
    const listed = await this.listed(name);
    return listed && this.record(name, listed);
  }

  /**
   * Begins a run: pages from the cursor on until the source has no more. Undefined when there is no such pipeline.
   *
   * @throws PipelinePausedError; whatever `Actors.ask` throws, AskTimeoutError above all: no process runs the pipeline, or a page
   * is in work
   */
  async run(name: string, options: RunOptions = {}): Promise<StartedRun | undefined> {
    return this.start(name, { reason: 'manual' }, options);
  }

  /**
   * Reads a part of the source, or all of it, again. Waits until runs in work have ended. Undefined when there is no such pipeline.
   *
   * @throws TooManyRunsError when ten runs wait already; whatever {@link run} throws
   */
  async backfill(
    name: string,
    { from = null, until }: BackfillRange = {},
    options: RunOptions = {},
  ): Promise<StartedRun | undefined> {
    const range = { from, ...(until !== undefined && { until }) };
    return this.start(name, { reason: 'backfill', ...range }, options);
  }

  /**
   * Stops the pipeline after the page in work; one that waits for another attempt is taken back. The run goes on when it is
   * resumed. False when it is paused already: the reason is the new one then. Undefined when there is no such pipeline.
   *
   * @throws OptionError; whatever {@link run} throws
   */
  async pause(name: string, reason: string): Promise<boolean | undefined> {
    if (typeof reason !== 'string' || reason.length < 1 || reason.length > 500) {
      throw new OptionError('reason', 'must be text of 1 to 500 characters');
    }
    if (!(await this.listed(name))) return undefined;
    const { Pause } = messagesOf(name);
    return this.interrupt(
      name,
      command(() => new Pause({ key: name, reason })),
    );
  }

  /** Lets it go on where it stopped. False when it is not paused; undefined when there is no such pipeline. */
  async resume(name: string): Promise<boolean | undefined> {
    if (!(await this.listed(name))) return undefined;
    const { Resume } = messagesOf(name);
    return this.actors.ask(new Resume({ key: name }), ASK);
  }

  /**
   * Moves the cursor, to the beginning unless another is given. Runs in work and those that wait are over. Undefined when there is
   * no such pipeline.
   *
   * @throws OptionError for a cursor that is no JSON; whatever {@link run} throws
   */
  async reset(name: string, cursor: Json = null): Promise<true | undefined> {
    if (!(await this.listed(name))) return undefined;
    const { Reset } = messagesOf(name);
    await this.interrupt(
      name,
      command(() => new Reset({ key: name, cursor })),
    );
    return true;
  }

  /** What happened to a pipeline, newest first: its newest 500 entries. @throws OptionError */
  async history(
    name: string,
    page: { before?: string; limit?: number } = {},
  ): Promise<PipelineEntry[]> {
    const rows = await this.keys.journal(checkedName(name), name, page);
    return rows.map(toEntry);
  }

  /** Takes a pipeline off the list that no code declares any more. One that runs comes back with its next start. */
  async remove(name: string): Promise<boolean> {
    if (!(await this.listed(name))) return false;
    return this.actors.ask(new RemovePipeline({ key: name }), ASK);
  }

  private async start(
    name: string,
    order: { reason: 'manual' | 'backfill'; from?: Json; until?: Json },
    { id }: RunOptions,
  ): Promise<StartedRun | undefined> {
    if (!(await this.listed(name))) return undefined;
    const { StartRun } = messagesOf(name);
    const message = command(() => new StartRun({ key: name, ...order }));
    const options = { ...ASK, ...(id !== undefined && { id: requestId(name, order.reason, id) }) };
    const { outcome, run = '' } = await this.actors.ask(message, options);
    if (outcome === 'paused') throw new PipelinePausedError(name);
    if (outcome === 'full') throw new TooManyRunsError(name);
    return { outcome, run };
  }

  /** Asks what must not wait until a page that fails has had all its attempts: the page is taken back between two of them. */
  private async interrupt<M extends MessageInstance>(name: string, message: M) {
    await this.takeBack(name);
    let isOver = false;
    const asked: Promise<ReplyOf<M>> = this.actors.ask(message, ASK).finally(() => (isOver = true));
    void this.watchOver(name, () => isOver).catch(() => undefined);
    return asked;
  }

  private async watchOver(name: string, isOver: () => boolean): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      await delay(LOOK, undefined, { ref: false });
      if (isOver()) return;
      await this.takeBack(name);
    }
  }

  /** A page is delayed only between two attempts. */
  private async takeBack(name: string): Promise<void> {
    const { run } = await this.stateOf(name);
    const page = run && (await this.engine.find(run.page, [name]));
    if (page?.state === 'delayed') await this.engine.cancel(page.envelope.id, [name]);
  }

  private async page(limit: number, after: string | undefined): Promise<PipelineRecord[]> {
    const page = { limit, ...(after !== undefined && { after }) };
    const found = await this.keys.states(DirectoryActor, page);
    return Promise.all(found.map(({ key, state }) => this.record(key, state)));
  }

  private async record(
    name: string,
    listed: { every?: string; cron?: string; tz?: string },
  ): Promise<PipelineRecord> {
    const state = await this.stateOf(name);
    const page = state.run && (await this.engine.find(state.run.page, [name]));
    return toPipelineRecord(name, listed, state, page, this.clock.now());
  }

  /** Another process has its class. */
  private async stateOf(name: string) {
    const stored = readable(`state of ${name}:`, await this.engine.state(name, name));
    return pipelineState.parse(stored?.data ?? {});
  }

  private async listed(name: string) {
    if (!NAME.test(name)) return undefined;
    const listed = await this.keys.state(DirectoryActor, name);
    return listed?.isDeclared ? listed : undefined;
  }
}

function checkedName(name: string): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new OptionError('name', `must match ${NAME}`);
}

function requestId(name: string, what: string, id: string): string {
  if (typeof id !== 'string' || id.length < 1 || id.length > 200) {
    throw new OptionError('id', 'must be a string of 1 to 200 characters');
  }
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `sync:${what}:${name}:${digest}`;
}

/** A message that carries what somebody has given: what cannot be carried is named as he has given it. */
function command<M>(make: () => M): M {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    const { path = '', message = error.message } = error.violations[0] ?? {};
    throw new OptionError(path.replaceAll('/', '.') || 'body', message);
  }
}
