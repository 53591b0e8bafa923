import { URGENT } from '../../priority.js';
import type { NextJob } from './bullmq.store.js';

/** Keeps some of a worker's turns for urgent messages: those of the lane `high` or better, and jobs without priority. */
export class ReservedTurns {
  /** Ids of the others that are at work. */
  private readonly others = new Set<string>();
  /** Fetches under way that may bring another. */
  private fetching = 0;

  /** @param room how many turns the others may have */
  constructor(private readonly room: () => number) {}

  /** Only urgent messages may be fetched. */
  get isFull(): boolean {
    return this.others.size + this.fetching >= this.room();
  }

  /** @param take fetches the next job; when it is limited, one that is urgent or none */
  async fetch(take: (isLimited: boolean) => Promise<NextJob>): Promise<NextJob> {
    const isLimited = this.isFull;
    if (!isLimited) this.fetching++;
    try {
      const taken = await take(isLimited);
      if (isOther(taken)) this.others.add(taken[1]);
      return taken;
    } finally {
      if (!isLimited) this.fetching--;
    }
  }

  /** The turn of a message is over. */
  ended(id = ''): void {
    this.others.delete(id);
  }
}

/** Whether a message was taken that is not urgent. */
export function isOther(taken: NextJob): taken is [{ priority: unknown }, string] & NextJob {
  const [job, id] = (taken ?? []) as [({ priority?: unknown } | null)?, string?];
  return !!job && id !== undefined && Number(job.priority ?? 0) > URGENT;
}
