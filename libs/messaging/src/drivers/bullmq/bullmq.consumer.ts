import { Logger } from '@nestjs/common';
import { WaitingError, Worker, type Job } from 'bullmq';
import type { Consumer, Outcome, TurnFunction } from '../../engine.js';
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
/** The same trouble is logged at most this often. */
const LOG_EVERY = 5_000;

/** A BullMQ worker whose ends of a turn are ours. */
export class BullmqConsumer implements Consumer {
  private readonly logger = new Logger('Callsheet');
  private readonly worker: Worker;
  private readonly backend: TurnBackend;
  private readonly running = new Map<string, AbortController>();
  private readonly logged = new Map<string, number>();

  constructor(
    actor: string,
    store: BullmqStore,
    { concurrency, lockDuration, keepDone }: ConsumerOptions,
    private readonly turn: TurnFunction,
  ) {
    const worker = new Worker(
      actor,
      // Three parameters: BullMQ hands out an AbortSignal, and counts on cancellation, only then.
      (job: Job, token: string | undefined, signal: AbortSignal | undefined) =>
        this.process(job, token ?? '', signal),
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
    this.worker.on('error', (error) => this.complain(`${actor}: ${error.message}`));
    this.worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) this.running.get(id)?.abort();
    });
  }

  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    this.worker.run().catch((error: Error) => this.complain(error.message));
  }

  async stop(grace: number): Promise<void> {
    const closed = this.worker.close();
    const timer = setTimeout(() => {
      for (const controller of this.running.values()) controller.abort();
    }, grace);
    // Handing back takes the handlers' patience and a round trip; a store that is gone must not hold the process.
    await withinTime(grace + 2_500, closed);
    clearTimeout(timer);
  }

  private async process(job: Job, token: string, _signal: AbortSignal | undefined): Promise<void> {
    const id = job.id ?? '';
    const controller = new AbortController();
    this.running.set(id, controller);
    try {
      const outcome = await this.turn(toDelivery(job, controller.signal));
      if (outcome.kind === 'done') return;
      await this.commit(job, token, outcome);
    } catch (error) {
      this.complain(
        `${job.name} ${id}: its outcome could not be stored, it will be handed out again: ${(error as Error).message}`,
      );
    } finally {
      if (this.running.get(id) === controller) this.running.delete(id);
    }
    // Tells BullMQ that the job has been moved.
    throw new WaitingError();
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
