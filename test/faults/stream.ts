import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../support/child.js';
import type { Run } from './run.js';
import type { Sender } from './sender.js';

/** Keys with messages that come one after the other, each sent when the one before was acknowledged, until it is stopped. */
export class Stream {
  private isOver = false;
  private readonly senders: Promise<void>[];
  /** How many were acknowledged. */
  acked = 0;

  /** @param most messages per key: a stream that nobody stops ends */
  constructor(sender: Sender, keys: readonly string[], most = 5_000, pause = 0) {
    this.senders = keys.map(async (key) => {
      for (let n = 0; n < most && !this.isOver; n++) {
        await sender.send(key, n);
        this.acked++;
        if (pause > 0) await delay(pause);
      }
    });
  }

  /** Resolves when the last ones were acknowledged. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.senders);
  }
}

/** Freezes a process for longer than its locks last, and lets it go on. */
export async function freeze(run: Run, victim: Child, ms: number): Promise<void> {
  const pause = async (): Promise<void> => {
    victim.signal('SIGSTOP');
    await delay(ms);
    victim.signal('SIGCONT');
  };
  await run.nemesis.harm('SIGSTOP', pause, victim.pid);
}
