import { Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Consumer, Outcome, Signal, StoredState, TurnFunction } from '../../engine.js';
import {
  CancelledError,
  IdempotencyConflictError,
  LockLostError,
  MailboxFullError,
  MessageActiveError,
  StoppingError,
  TurnSqlError,
} from '../../messaging.errors.js';
import { BullmqChores, type ChoreOptions } from './bullmq.chores.js';
import {
  redrivesOf,
  toCancelled,
  toDelivery,
  toEnvelope,
  toFailure,
  toReleased,
} from './bullmq.job.js';
import type { BullmqStore, NextJob, TurnBackend } from './bullmq.store.js';
import { ReservedTurns } from './reserved.turns.js';
import { TurnWorker, type Then } from './turn.worker.js';
import { Stop } from '../../stop.js';
import { withinTime } from '../../within.time.js';

export interface ConsumerOptions extends ChoreOptions {
  concurrency: number;
  /** At most `max` starts per `per` milliseconds, over all processes. */
  rateLimit?: { max: number; per: number };
  /** How long a silent worker keeps its jobs, ms. */
  lockDuration: number;
}

/** Effectively without limit: crashes are counted and judged by the turn runner. */
const NO_STALL_LIMIT = 1_000_000_000;
/** How long, at a stop, a fetch may be under way, and how long handing back may take, ms. */
const FETCH = 250;
const HAND_BACK = 2_500;
/** How long a turn may take to answer its signal before its message goes back without it, ms. */
const DEAF = 1_000;
/** How soon a message is offered again whose earlier namesake is still at work here, ms. */
const NAMESAKE = 1_000;
/** How often messages of workers that died are looked for, ms, unless locks are short. */
const SWEEP_EVERY = 2_500;
/** How long a job may be on its way from the store to its turn, ms. */
const ON_ITS_WAY = 10_000;
/** The same trouble is logged at most this often. */
const LOG_EVERY = 5_000;

/** What a store refuses the effects of a turn with. */
const REFUSALS = [
  IdempotencyConflictError,
  MessageActiveError,
  MailboxFullError,
  LockLostError,
  TurnSqlError,
];

/** A turn at work. */
interface Running {
  readonly job: Job;
  readonly stop: Stop;
  readonly outcome: Promise<Outcome>;
  /** Hands the message back without waiting any longer. */
  readonly release: () => void;
  /** When its lock ends unless it is renewed, by the clock of `performance.now()`. */
  heldUntil: number;
}

/** A BullMQ worker whose ends of a turn are ours. */
export class BullmqConsumer implements Consumer {
  private readonly logger = new Logger('Callsheet');
  private readonly worker: TurnWorker;
  private readonly backend: TurnBackend;
  private readonly running = new Map<string, Running>();
  private readonly chores: BullmqChores;
  private readonly watching: NodeJS.Timeout;
  private unsubscribe?: () => Promise<void>;
  /** When messages were cancelled that do not run here, oldest first. */
  private readonly cancelled = new Map<string, number>();
  private isStopping = false;
  /** Limited to no turns at all. */
  private isShut = false;
  private setting: Promise<void> = Promise.resolve();
  private readonly logged = new Map<string, number>();

  constructor(
    actor: string,
    private readonly store: BullmqStore,
    dead: TurnBackend,
    private readonly options: ConsumerOptions,
    private readonly turn: TurnFunction,
  ) {
    const { concurrency, rateLimit, reserved, lockDuration } = options;
    const worker = new TurnWorker(
      actor,
      {
        connection: store.workerConnection as never,
        ...(store.prefix !== undefined && { prefix: store.prefix }),
        autorun: false,
        concurrency,
        lockDuration,
        stalledInterval: Math.min(lockDuration / 2, SWEEP_EVERY),
        maxStalledCount: NO_STALL_LIMIT,
        runRetryDelay: 1_000,
        ...(rateLimit && { limiter: { max: rateLimit.max, duration: rateLimit.per } }),
      },
      store.backend,
      {
        run: (job, token) => this.run(job, token),
        end: (job, token, result, mayFetch) => this.end(job, token, result, mayFetch),
      },
    );
    this.worker = worker;
    this.backend = worker.getBackend() as unknown as TurnBackend;
    if (reserved) {
      // One that is limited to few turns for a while still has one for any message.
      this.backend.reserved = new ReservedTurns(() => Math.max(1, worker.concurrency - reserved));
    }
    const complain = (message: string): void => this.complain(`${actor}: ${message}`);
    this.chores = new BullmqChores(actor, { own: this.backend, dead }, options, complain);
    this.watching = setInterval(() => this.watch(), lockDuration / 4).unref();
    this.worker.on('error', ({ message }) => complain(message));
    this.worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) this.running.get(id)?.stop.abort(new LockLostError());
    });
    this.worker.on('locksRenewed', ({ jobIds }: { jobIds: string[] }) => {
      const heldUntil = performance.now() + lockDuration;
      for (const id of jobIds) Object.assign(this.running.get(id) ?? {}, { heldUntil });
    });
  }

  limit(concurrency: number): void {
    this.isShut = concurrency === 0;
    this.setting = this.setting.then(async () => {
      // Its loop looks at the number of turns only when one ends, or when it resumes.
      // It fails only when the worker is closing: then there is nothing to limit.
      await this.worker.pause(true).catch(() => undefined);
      if (concurrency === 0) return;
      this.worker.concurrency = concurrency;
      void this.worker.resume();
    });
  }

  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    this.unsubscribe = await this.store.onCancel((storageId) => {
      const running = this.running.get(storageId);
      if (running) running.stop.abort(new CancelledError(toEnvelope(running.job).id));
      else this.remember(storageId);
    });
    this.worker.run().catch((error: Error) => this.complain(error.message));
  }

  async stop(grace: number): Promise<void> {
    this.chores.stop();
    clearInterval(this.watching);
    const deadline = Date.now() + grace;
    const closed = this.worker.close();
    // A fetch under way may still bring a job.
    await withinTime(FETCH, closed);
    while (this.running.size > 0 && Date.now() < deadline) {
      const outcomes = [...this.running.values()].map(({ outcome }) => outcome);
      await withinTime(deadline - Date.now(), Promise.race(outcomes));
    }
    this.isStopping = true;
    for (const { stop } of this.running.values()) stop.abort(new StoppingError());
    // One whose signal was aborted before, because its lock was lost, does not hear this.
    const timer = setTimeout(() => {
      for (const { release } of this.running.values()) release();
    }, DEAF);
    // Handing back takes the handlers' patience and a round trip; a store that is gone must not hold the process.
    await withinTime(HAND_BACK, closed);
    clearTimeout(timer);
    await withinTime(FETCH, this.unsubscribe?.() ?? Promise.resolve());
  }

  private run(job: Job, token: string): Promise<Outcome> {
    // Whoever takes a job asks for its state, wanted or not: a backend keeps what came with it until then.
    const state = this.backend.stateOf(job);
    if (state instanceof Promise) state.catch(() => undefined);
    // A fetch that waited for a message when the limit came still brings one. Not if its turn still runs: others would
    // get it meanwhile.
    if (this.isShut && !this.running.has(job.id ?? '')) return Promise.resolve({ kind: 'release' });
    // A plain producer's, whose child has failed and takes it along.
    if (job.deferredFailure) return Promise.resolve(failedBefore(job, job.deferredFailure));
    return this.outcomeOf(job, token, state);
  }

  private async end(
    job: Job,
    token: string,
    result: PromiseSettledResult<Outcome>,
    mayFetch: () => boolean,
  ): Promise<Then> {
    try {
      if (result.status === 'rejected') throw result.reason;
      const { value: outcome } = result;
      if (outcome.kind === 'done') return await this.complete(job, token, outcome, mayFetch());
      await this.commit(job, token, outcome);
    } catch (error) {
      this.lost(job, error);
    }
    this.backend.reserved?.ended(job.id);
    return mayFetch() ? 'fetch' : undefined;
  }

  /**
   * Runs the turn, or joins it: when the event loop was blocked for longer than the lock lasts, this worker is handed a job
   * that it is still working on. What comes of it is committed under the newer lock. Another message of the same id, sent
   * after the first was handled elsewhere, comes again when that turn is over.
   */
  private outcomeOf(
    job: Job,
    token: string,
    state: ReturnType<TurnBackend['stateOf']>,
  ): Promise<Outcome> {
    const id = job.id ?? '';
    const running = this.running.get(id);
    if (running) {
      if (!isAgain(job, running.job)) return Promise.resolve({ kind: 'release', delay: NAMESAKE });
      running.heldUntil = performance.now() + this.options.lockDuration;
      return running.outcome;
    }
    const stop = new Stop();
    const delivery = toDelivery(job, stop, async (progress) => {
      if (!(await this.backend.note(job, token, progress))) throw new LockLostError();
    });
    const heldUntil = performance.now() + this.options.lockDuration;
    // Fetched before the stop, or before it was cancelled, and brought after it.
    if (this.isStopping) stop.abort(new StoppingError());
    if ((this.cancelled.get(id) ?? 0) >= (job.processedOn ?? 0) && this.cancelled.delete(id)) {
      stop.abort(new CancelledError(delivery.envelope.id));
    }
    let release = (): void => undefined;
    const outcome = new Promise<Outcome>((resolve, reject) => {
      const ended =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          this.running.delete(id);
          settle(value);
        };
      release = () => ended(resolve)({ kind: 'release' });
      const begin = (stored: StoredState | undefined): Promise<Outcome> =>
        this.turn(stored ? Object.assign(delivery, { state: stored }) : delivery);
      const turn = state instanceof Promise ? state.then(begin) : begin(state);
      turn.then(ended(resolve), ended(reject));
    });
    this.running.set(id, { job, stop, outcome, release, heldUntil });
    return outcome;
  }

  private async commit(job: Job, token: string, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'done':
        await this.complete(job, token, outcome, false);
        return;
      case 'retry':
        return this.backend.postpone(job, token, outcome.delay, toFailure(job, outcome));
      case 'dead':
        return this.backend.bury(job, token, toFailure(job, outcome), outcome.sends ?? []);
      case 'cancelled':
        return this.backend.quit(
          job,
          token,
          toCancelled(job),
          this.options.keepDone,
          outcome.sends ?? [],
        );
      case 'quarantine': {
        const failure = toFailure(job, outcome);
        if (await this.backend.quarantine(job, token, failure, outcome.attempt)) return;
        return this.commit(job, token, { ...outcome, kind: 'dead', reason: 'quarantined' });
      }
      case 'release':
        await this.acquit(job, token);
        if (outcome.delay) return this.backend.postpone(job, token, outcome.delay, undefined);
        await this.backend.moveJobFromActiveToWait(job.id ?? '', token);
    }
  }

  /** A step of its own: a process that dies before the next one is not on trial any more. */
  private async acquit(job: Job, token: string): Promise<void> {
    const progress = toReleased(job);
    if (progress) await this.backend.note(job, token, progress);
  }

  /** Never rejects: what cannot be stored is handed out again. */
  private async complete(
    job: Job,
    token: string,
    { effects = { sends: [] }, refused }: Extract<Outcome, { kind: 'done' }>,
    fetchNext: boolean,
  ): Promise<NextJob> {
    const { reserved } = this.backend;
    reserved?.ended(job.id);
    const end = (isLimited: boolean): Promise<NextJob> =>
      this.backend.complete(job, token, effects, this.options.keepDone, fetchNext && !isLimited);
    try {
      const next = await (fetchNext && reserved ? reserved.fetch(end) : end(false));
      this.tell(effects.signals);
      return next;
    } catch (error) {
      try {
        if (!refused || !isRefusal(error)) throw error;
        await this.commit(job, token, await refused(error));
      } catch (problem) {
        this.lost(job, problem);
      }
      return undefined;
    }
  }

  /** The commit stands, told or not. */
  private tell(signals: readonly Signal[] = []): void {
    if (signals.length === 0) return;
    this.store.signal(signals).catch((error: Error) => {
      this.complain(`${this.worker.name}: signals are lost: ${error.message}`);
    });
  }

  private lost({ name, id }: Job, error: unknown): void {
    this.complain(
      `${name} ${id}: its outcome could not be stored, it will be handed out again: ${(error as Error).message}`,
    );
  }

  /** One that is cut off from its store hears nothing of its locks. */
  private watch(): void {
    const now = performance.now();
    for (const { heldUntil, stop } of this.running.values()) {
      if (heldUntil < now) stop.abort(new LockLostError());
    }
  }

  /** A message that was cancelled may be on its way here, or in work elsewhere. */
  private remember(storageId: string): void {
    const now = Date.now();
    // Oldest first.
    for (const [id, at] of this.cancelled) {
      if (at > now - ON_ITS_WAY) break;
      this.cancelled.delete(id);
    }
    this.cancelled.delete(storageId);
    this.cancelled.set(storageId, now);
  }

  private complain(message: string): void {
    const now = Date.now();
    if (now - (this.logged.get(message) ?? 0) < LOG_EVERY) return;
    if (this.logged.size > 100) this.logged.clear();
    this.logged.set(message, now);
    this.logger.warn(message);
  }
}

/**
 * Whether a job was handed out again; else it is another message with the id of one that has ended: a timer that was armed
 * again, or a dead letter that was redriven.
 */
function isAgain(job: Job, earlier: Job): boolean {
  const isSame = job.timestamp === earlier.timestamp && redrivesOf(job) === redrivesOf(earlier);
  return isSame && job.attemptsStarted > earlier.attemptsStarted;
}

function failedBefore({ attemptsMade }: Job, message: string): Outcome {
  const now = Date.now();
  const attempt = { attempt: attemptsMade + 1, startedAt: now, finishedAt: now };
  const error = { name: 'UnrecoverableError', message };
  return { kind: 'dead', reason: 'rejected', attempt: { ...attempt, error } };
}

/** Whether the store said no, and nothing changed. */
function isRefusal(error: unknown): error is Error {
  return REFUSALS.some((refusal) => error instanceof refusal);
}
