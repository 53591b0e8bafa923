import { Worker, type Job, type JobJson, type WorkerOptions } from 'bullmq';
import type { Outcome } from '../../engine.js';
import type { BullmqStore, NextJob } from './bullmq.store.js';
import { mended } from './damaged.data.js';

/** What becomes of a worker's place when a turn has ended: the next job came with the end, or is to be fetched, or BullMQ's loop looks. */
export type Then = NextJob | 'fetch';

/** What a worker does with each job. */
export interface Turns {
  /** Runs the turn. Its lock is renewed meanwhile, and not while what came of it is stored. */
  run(job: Job, token: string): Promise<Outcome>;
  /** Stores what came of it, or that the turn rejected; never rejects. `mayFetch` tells whether there is room for another job. */
  end(
    job: Job,
    token: string,
    result: PromiseSettledResult<Outcome>,
    mayFetch: () => boolean,
  ): Promise<Then>;
}

/** The next job as backends answer it. */
type Answer = [json?: JobJson | null, id?: string, limit?: number, until?: number];

/** One of the places of a worker, in work. */
interface Place {
  /** Whether it may go on to another message. */
  hasRoom: () => boolean;
  end: Promise<void>;
}

/** What BullMQ's worker keeps to itself. */
interface Inside {
  updateDelays(limit?: number, until?: number): void;
}

/**
 * A BullMQ worker whose turns end as `turns` says. BullMQ's own way there serves spans, sandboxes, cancelling and retrying, none of
 * which is wanted here, and makes a promise for each step (0010).
 */
export class TurnWorker extends Worker {
  private readonly begun = new WeakMap<Job, Place>();

  constructor(
    name: string,
    options: WorkerOptions,
    backend: BullmqStore['backend'],
    private readonly turns: Turns,
  ) {
    // BullMQ's loop does not start without a processor.
    super(name, () => Promise.resolve(), options, backend as never);
  }

  /**
   * BullMQ's loop fetches one after the other until no place is free, and only then hands them out: the first of a hundred would
   * wait for a hundred answers. So its turn begins at once, and the loop waits for its end when it comes to that.
   */
  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    const job = await super.moveToActive(token, name);
    if (!(job as Job | undefined)) return job;
    const place: Place = { hasRoom: () => true, end: Promise.resolve() };
    place.end = this.occupy(place, job, token);
    this.begun.set(job, place);
    return job;
  }

  override async processJob(job: Job, _token: string, hasRoom?: () => boolean): Promise<void> {
    const place = this.begun.get(job);
    if (!place) throw new Error(`'${job.id}' was not fetched by its worker`);
    if (hasRoom) place.hasRoom = hasRoom;
    return place.end;
  }

  /** The place goes from message to message: BullMQ's loop sees to those that are free. */
  private async occupy(place: Place, first: Job, token: string): Promise<void> {
    const mayFetch = (): boolean => place.hasRoom() && !this.closing && !this.paused;
    try {
      let job = first;
      for (;;) {
        const then = await this.handle(job, token, mayFetch);
        const next = await (then === 'fetch'
          ? super.moveToActive(token, this.opts.name)
          : Array.isArray(then) && this.jobOf(then as Answer, token));
        if (!next) return;
        job = next;
      }
    } catch (error) {
      if (!this.closing && !this.paused) this.emit('error', error as Error);
    }
  }

  private async handle(job: Job, token: string, mayFetch: () => boolean): Promise<Then> {
    const { id = '' } = job;
    // BullMQ counts from the moment when the job was taken until its lock is to be renewed, and that is the store's clock: were
    // it ahead of ours by half of what the lock lasts, the first renewal would come too late.
    this.lockManager.trackJob(id, token, Date.now());
    let result: PromiseSettledResult<Outcome>;
    try {
      result = { status: 'fulfilled', value: await this.turns.run(job, token) };
    } catch (reason) {
      result = { status: 'rejected', reason };
    }
    this.lockManager.untrackJob(id);
    return this.turns.end(job, token, result, mayFetch);
  }

  private jobOf([json, id, limit, until]: Answer, token: string): Promise<Job | undefined> | Job {
    // With a job none of them is told, and BullMQ's loop may just have heard when the next one is due: it would sleep through that.
    if (!json) (this as unknown as Inside).updateDelays(limit, until);
    const job = json && this.createJob(json, id ?? '');
    // Of a schedule of BullMQ's own the next one is made first.
    if (!job || job.repeatJobKey) return this.nextJobFromJobData(json ?? undefined, id, token);
    // BullMQ's loop is not told that there are jobs again (drained): it would ask with each turn of a long mailbox, for nothing. What is there
    // for others wakes it.
    job.token = token;
    return job;
  }

  /** Whatever somebody has written over it: what cannot be read is for the turn to say. */
  protected override createJob(json: JobJson, id: string): Job {
    try {
      return super.createJob(json, id);
    } catch {
      return super.createJob(mended(json), id);
    }
  }
}
