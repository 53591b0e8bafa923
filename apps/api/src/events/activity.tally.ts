import { Latencies, type ActorActivity } from '@callsheet/messaging';

/** What all processes did for one actor, or for all. */
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
}
