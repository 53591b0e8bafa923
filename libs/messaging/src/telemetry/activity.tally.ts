import { Latencies, type LatencyCounts } from '../latencies.js';

/** What one process did for one actor within about a second. */
export interface ActorActivity {
  /** `*` stands for those beyond the first 200. */
  actor: string;
  /** Messages handled: below 0 when the store refused more than were handled. */
  done: number;
  /** Attempts that failed, the last ones of dead letters included. */
  failed: number;
  dead: number;
  /** Messages sent to it. */
  sent: number;
  /** Latency L = t - t0 of those handled. */
  latencies: LatencyCounts;
}

/** What was done for one actor, or for all: counted as it happens, or put together of what processes tell. */
export class ActivityTally {
  done = 0;
  failed = 0;
  dead = 0;
  sent = 0;
  readonly latencies = new Latencies();

  add({ done, failed, dead, sent, latencies }: Omit<ActorActivity, 'actor'>): void {
    this.done += done;
    this.failed += failed;
    this.dead += dead;
    this.sent += sent;
    this.latencies.merge(latencies);
  }

  /** As it is told. */
  all(): Omit<ActorActivity, 'actor'> {
    const { done, failed, dead, sent, latencies } = this;
    return { done, failed, dead, sent, latencies: latencies.all() };
  }
}
