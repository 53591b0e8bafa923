import { setTimeout as delay } from 'node:timers/promises';
import type { Source } from './pipeline.js';

/** The shortest time between two wakings, ms: of a burst the first and the last count. */
const REST = 50;
/** How long after a source was lost it is looked for again, ms. */
const AGAIN = 1_000;
const MOST_AGAIN = 30_000;

/** Listens to a source that tells when it has something new. */
export class Watch {
  private readonly controller = new AbortController();
  private readonly ended: Promise<void>;
  private isWanted = false;
  private waking: Promise<void> | undefined;

  /**
   * @param wake begins a run
   * @param lost is told why nothing is heard
   */
  constructor(
    private readonly look: NonNullable<Source['watch']>,
    private readonly wake: () => Promise<unknown>,
    private readonly lost: (problem: string) => void,
  ) {
    this.ended = this.listen();
  }

  async stop(): Promise<void> {
    this.controller.abort();
    await Promise.allSettled([this.ended, this.waking]);
  }

  private async listen(): Promise<void> {
    const { signal } = this.controller;
    for (let wait = AGAIN; !signal.aborted; wait = Math.min(wait * 2, MOST_AGAIN)) {
      const since = performance.now();
      try {
        await this.look(() => this.heard(), signal);
      } catch (error) {
        if (!signal.aborted) this.lost((error as Error).message);
      }
      if (performance.now() - since > MOST_AGAIN) wait = AGAIN;
      await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Whoever is told of a thousand rows one by one needs one run. */
  private heard(): void {
    this.isWanted = true;
    this.waking ??= this.wakeUp().finally(() => (this.waking = undefined));
  }

  private async wakeUp(): Promise<void> {
    const { signal } = this.controller;
    while (this.isWanted && !signal.aborted) {
      this.isWanted = false;
      try {
        await this.wake();
      } catch (error) {
        this.lost((error as Error).message);
      }
      await delay(REST, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
