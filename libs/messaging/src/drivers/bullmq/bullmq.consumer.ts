import { Logger } from '@nestjs/common';
import { WaitingError, Worker, type Job } from 'bullmq';
import type { Consumer, Outcome, TurnFunction } from '../../engine.js';
import { LockLostError, StoppingError } from '../../messaging.errors.js';
import { toDelivery, toFailure } from './bullmq.job.js';
import type { BullmqStore, TurnBackend } from './bullmq.store.js';
import { withinTime } from '../../within.time.js';

export interface ConsumerOptions {
  concurrency: number;
  /** How long a silent worker keeps its jobs, ms. */
  lockDuration: number;
  keepDone: { age: number; count: number };
}

/** Effectively without limit: crashes are counted and judged by the turn runner. */
const NO_STALL_LIMIT = 1_000_000_000;
/** How long, at a stop, a fetch may be under way, and how long handing back may take, ms. */
const FETCH = 250;
const HAND_BACK = 2_500;
/** How long a turn may take to answer its signal before its message goes back without it, ms. */
const DEAF = 1_000;
/** How often handled jobs beyond the age and count to keep are dropped, ms. */
const FORGET_EVERY = 5_000;
/** The same trouble is logged at most this often. */
const LOG_EVERY = 5_000;

/** A turn at work. */
interface Running {
  readonly controller: AbortController;
  readonly outcome: Promise<Outcome>;
  /** Hands the message back without waiting any longer. */
  readonly release: () => void;
}

/** A BullMQ worker whose ends of a turn are ours. */
export class BullmqConsumer implements Consumer {
  private readonly logger = new Logger('Callsheet');
  private readonly worker: Worker;
  private readonly backend: TurnBackend;
  private readonly running = new Map<string, Running>();
  private readonly forgetting?: NodeJS.Timeout;
  private isStopping = false;
  private readonly logged = new Map<string, number>();

  constructor(
    actor: string,
    store: BullmqStore,
    { concurrency, lockDuration, keepDone }: ConsumerOptions,
    private readonly turn: TurnFunction,
  ) {
    const worker = new Worker(
      actor,
      (job: Job, token: string | undefined) => this.process(job, token ?? ''),
      {
        connection: store.workerConnection as never,
        ...(store.prefix !== undefined && { prefix: store.prefix }),
        autorun: false,
        concurrency,
        lockDuration,
        stalledInterval: lockDuration / 2,
        maxStalledCount: NO_STALL_LIMIT,
        runRetryDelay: 1_000,
        removeOnComplete: { age: Math.ceil(keepDone.age / 1_000), count: keepDone.count },
      },
      store.backend,
    );
    this.worker = worker as unknown as Worker;
    this.backend = worker.getBackend() as unknown as TurnBackend;
    if (this.backend.forgetDone) {
      const forget = () => this.backend.forgetDone?.(keepDone).catch(() => undefined);
      this.forgetting = setInterval(forget, FORGET_EVERY).unref();
    }
    this.worker.on('error', (error) => this.complain(`${actor}: ${error.message}`));
    this.worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) this.running.get(id)?.controller.abort(new LockLostError());
    });
  }

  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    this.worker.run().catch((error: Error) => this.complain(error.message));
  }

  async stop(grace: number): Promise<void> {
    clearInterval(this.forgetting);
    const deadline = Date.now() + grace;
    const closed = this.worker.close();
    // A fetch under way may still bring a job.
    await withinTime(FETCH, closed);
    while (this.running.size > 0 && Date.now() < deadline) {
      const outcomes = [...this.running.values()].map(({ outcome }) => outcome);
      await withinTime(deadline - Date.now(), Promise.race(outcomes));
    }
    this.isStopping = true;
    for (const { controller } of this.running.values()) controller.abort(new StoppingError());
    // One whose signal was aborted before, because its lock was lost, does not hear this.
    const timer = setTimeout(() => {
      for (const { release } of this.running.values()) release();
    }, DEAF);
    // Handing back takes the handlers' patience and a round trip; a store that is gone must not hold the process.
    await withinTime(HAND_BACK, closed);
    clearTimeout(timer);
  }

  private async process(job: Job, token: string): Promise<void> {
    try {
      const outcome = await this.outcomeOf(job);
      if (outcome.kind === 'done') return;
      await this.commit(job, token, outcome);
    } catch (error) {
      this.complain(
        `${job.name} ${job.id}: its outcome could not be stored, it will be handed out again: ${(error as Error).message}`,
      );
    }
    // Tells BullMQ that the job has been moved.
    throw new WaitingError();
  }

  /**
   * Runs the turn, or joins it: when the event loop was blocked for longer than the lock lasts, this worker is handed a job
   * that it is still working on. What comes of it is committed under the newer lock.
   */
  private outcomeOf(job: Job): Promise<Outcome> {
    const id = job.id ?? '';
    const running = this.running.get(id);
    if (running) return running.outcome;
    const controller = new AbortController();
    let release = (): void => undefined;
    const outcome = new Promise<Outcome>((resolve, reject) => {
      release = () => resolve({ kind: 'release' });
      this.turn(toDelivery(job, controller.signal)).then(resolve, reject);
    }).finally(() => this.running.delete(id));
    this.running.set(id, { controller, outcome, release });
    // Fetched before the stop, brought after it.
    if (this.isStopping) controller.abort(new StoppingError());
    return outcome;
  }

  private async commit(
    job: Job,
    token: string,
    outcome: Exclude<Outcome, { kind: 'done' }>,
  ): Promise<void> {
    switch (outcome.kind) {
      case 'retry':
        return this.backend.postpone(job, token, outcome.delay, toFailure(job, outcome));
      case 'dead':
        return this.backend.bury(job, token, toFailure(job, outcome));
      case 'release':
        await this.backend.moveJobFromActiveToWait(job.id ?? '', token);
    }
  }

  private complain(message: string): void {
    const now = Date.now();
    if (now - (this.logged.get(message) ?? 0) < LOG_EVERY) return;
    if (this.logged.size > 100) this.logged.clear();
    this.logged.set(message, now);
    this.logger.warn(message);
  }
}
