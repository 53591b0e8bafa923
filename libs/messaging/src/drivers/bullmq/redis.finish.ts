import type { Job } from 'bullmq';
import type { Keep } from './bullmq.store.js';
import type { Argument } from './redis.run.js';

/** What BullMQ is told of how many ended jobs it keeps; the age in seconds. */
export type KeepJobs = { count: number; age?: number };

/** Number of KEYS of moveToFinished. */
export const FINISH_KEYS = 14;

/** Every so-manieth message that ends looks for those that are too old or too many. Prime: what takes turns with others gets it too. */
const TIDY_EVERY = 17;
const KEEP_ALL: KeepJobs = { count: -1 };
/** How many lock tokens are remembered: a worker has as many as turns, and a new one after each wait. */
const MOST_TOKENS = 1_000;

/**
 * KEYS and ARGV of moveToFinished for messages that end well. Packing the options takes as long as many other parts of a turn, and
 * they are the same for all that end under one lock token.
 */
export class FinishArguments {
  private ends = 0;
  private readonly packed = new Map<string, { keep: Keep; args: readonly Argument[] }>();

  /** @param pack BullMQ's own, for a job, how many are kept, and a lock token */
  constructor(private readonly pack: (job: Job, kept: KeepJobs, token: string) => Argument[]) {}

  of(job: Job, token: string, value: string, keep: Keep, fetchNext: boolean): Argument[] {
    const isNoneKept = Math.min(keep.age, keep.count) === 0;
    const isTidying = isNoneKept || this.ends++ % TIDY_EVERY === 0;
    const known = isTidying ? `${token} tidying` : token;
    let packed = this.packed.get(known);
    if (packed?.keep !== keep) {
      if (this.packed.size >= MOST_TOKENS) this.packed.clear();
      packed = { keep, args: this.pack(job, isTidying ? toKeepJobs(keep) : KEEP_ALL, token) };
      this.packed.set(known, packed);
    }
    const args = packed.args.slice();
    args[FINISH_KEYS] = job.id;
    args[FINISH_KEYS + 3] = value;
    args[FINISH_KEYS + 5] = fetchNext ? 1 : 0;
    return args;
  }
}

/** As BullMQ has it. */
export function toKeepJobs({ age, count }: Keep): KeepJobs {
  return { age: Math.ceil(age / 1_000), count };
}
