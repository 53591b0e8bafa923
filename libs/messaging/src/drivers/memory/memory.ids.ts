interface Remembered {
  fingerprint: string;
  until: number;
}

/** Ids chosen by senders, remembered for a while after their messages are gone. */
export class RememberedIds {
  private readonly known = new Map<string, Remembered>();
  private nextSweep = 0;

  /** @param window how long, ms */
  constructor(private readonly window: number) {}

  add(storageId: string, fingerprint: string, now: number): void {
    this.known.set(storageId, { fingerprint, until: now + this.window });
    this.sweep(now);
  }

  fingerprint(storageId: string, now: number): string | undefined {
    const known = this.known.get(storageId);
    return known && known.until > now ? known.fingerprint : undefined;
  }

  /** Seldom, because it looks at all of them. */
  private sweep(now: number): void {
    if (now < this.nextSweep) return;
    this.nextSweep = now + this.window / 4;
    for (const [storageId, { until }] of this.known) if (until <= now) this.known.delete(storageId);
  }
}
