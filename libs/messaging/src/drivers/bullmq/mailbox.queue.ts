import { Queue } from 'bullmq';
import type { ActorQueue, KeyedJob } from '../../queues.js';
import type { TurnBackend } from './bullmq.store.js';

/** A queue that knows of the mailboxes of keys. */
export class MailboxQueue
  extends Queue<unknown, unknown, string, unknown, unknown, string, TurnBackend, never>
  implements ActorQueue
{
  standingBefore(jobs: readonly KeyedJob[]): Promise<ReadonlyMap<string, number>> {
    return this.getBackend().mailboxes.standingBefore(jobs);
  }
}
