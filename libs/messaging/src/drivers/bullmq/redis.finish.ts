import type { Keep } from './bullmq.store.js';
import type { Argument } from './redis.run.js';

/** What a worker's options have of the jobs that it takes. */
export interface Taking {
  /** How long a lock lasts, ms. */
  readonly lockDuration: number;
  readonly limiter?: { readonly max: number; readonly duration: number };
}

/** Number of KEYS of moveToFinished. */
export const FINISH_KEYS = 14;

/** Every so-manieth message that ends looks for those that are too old or too many. Prime: what takes turns with others gets it too. */
const TIDY_EVERY = 17;
/**
 * How often a worker that goes from message to message wakes another one, ms. Whoever sends wakes a worker, and that one the next: this is for what
 * is left when one that was woken takes nothing, because it died, say. Idle workers look by themselves after five seconds.
 */
const WAKE_EVERY = 50;

/** KEYS and ARGV of moveToFinished for messages that end well: BullMQ's own, but for what it packs, which COMPLETE takes as it is. */
export class FinishArguments {
  private ends = 0;
  private wokeAt = -Infinity;
  private made?: readonly Argument[];

  /** @param make BullMQ's own, for any job that it keeps, and for what changes of the job */
  constructor(
    private readonly make: (fields?: Record<string, string>) => Argument[],
    private readonly taking: () => Taking,
  ) {}

  /** They differ in little, and are made once, but for those of a job of which something changes. */
  of(id: string, value: string, fetchNext: boolean, fields?: Record<string, string>): Argument[] {
    const args = fields ? this.make(fields) : (this.made ??= this.make()).slice();
    args[FINISH_KEYS] = id;
    args[FINISH_KEYS + 3] = value;
    args[FINISH_KEYS + 5] = fetchNext ? this.fetching() : 0;
    args[FINISH_KEYS + 7] = this.taking().lockDuration;
    return args;
  }

  /** To fetch the next job, and with 2 to wake another worker with it. */
  private fetching(): 1 | 2 {
    const now = performance.now();
    if (now - this.wokeAt < WAKE_EVERY) return 1;
    this.wokeAt = now;
    return 2;
  }

  /** How many ended jobs are kept, if it is time to look, and how many are taken at most, as JSON; '' for any number. */
  bounds(keep: Keep): string {
    const isNoneKept = Math.min(keep.age, keep.count) === 0;
    const keepJobs = isNoneKept || this.ends++ % TIDY_EVERY === 0 ? toKeepJobs(keep) : undefined;
    const { limiter } = this.taking();
    return keepJobs || limiter ? JSON.stringify({ keepJobs, limiter }) : '';
  }
}

/** As BullMQ has it, the age in seconds. */
function toKeepJobs({ age, count }: Keep): Keep {
  return { age: Math.ceil(age / 1_000), count };
}
