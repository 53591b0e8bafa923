/** How often a process says which releases of its actors it runs, ms. */
export const RELEASE_BEAT = 8_000;

/** How long a release is thought to be there after it was last heard of, ms. */
export const PRESENCE = 30_000;

/** How many releases of an actor are remembered: those that were there last. */
export const MOST_RELEASES = 50;

/** What the code of an actor declares, at one version of it. */
export interface Release {
  /** A digest of what it declares. */
  id: string;
  /** When a process of it was last heard of, epoch ms. */
  seenAt: number;
}

/** Which release of an actor is in force, and which are known. */
export interface Standing {
  readonly current?: string | undefined;
  readonly releases: readonly Release[];
}

/** Whether a process of this release has been there before. */
export function isKnown(id: string, releases: readonly Release[]): boolean {
  return releases.some((each) => each.id === id);
}

/**
 * Whether a release of which a process starts is to be the one in force. One that nobody has seen before is newer than the others;
 * a known one has started again, and stands back: whether the one in force is gone {@link ReleaseWatch} finds out.
 */
export function prevails(id: string, { current, releases }: Standing): boolean {
  return current === undefined || current === id || !isKnown(id, releases);
}

/** Whether nobody of the release in force has been heard of for {@link PRESENCE}. */
export function isMissed({ current, releases }: Standing, now: number): boolean {
  const { seenAt = -Infinity } = releases.find(({ id }) => id === current) ?? {};
  return seenAt < now - PRESENCE;
}

/** Which release is in force, and its place in the order of those that were. */
export interface InForce {
  readonly release: string;
  /** Grows with each release that comes into force. */
  readonly revision: number;
}

/** What a process knows of the releases in force, by actor: whoever empties the store does not change it. */
export class KnownInForce {
  private readonly known = new Map<string, InForce>();

  /** @param stored what the store says now; what is known already counts more than an older one, or none */
  hear(actor: string, stored: InForce | undefined): InForce | undefined {
    const known = this.known.get(actor);
    if (stored === undefined) return known;
    // Lower than it was: the store was emptied, and a process that starts since knows of nobody else.
    if (known && known.release !== stored.release && stored.revision < known.revision) return known;
    this.known.set(actor, stored);
    return stored;
  }

  /** From now on what is stored counts, whatever it is. */
  forget(actor: string): void {
    this.known.delete(actor);
  }
}

/** Finds out while a process runs, by looking at every {@link RELEASE_BEAT}, that the release in force is gone. */
export class ReleaseWatch {
  /** By actor, which release was missed at the last look. */
  private readonly missed = new Map<string, string | undefined>();

  /**
   * Whether nobody of the release in force was there at this look and the one before: after an outage of the store nobody was seen
   * for a while, and those that are there have a beat to say so.
   */
  isGone(actor: string, standing: Standing, now: number): boolean {
    const wasMissed = this.missed.has(actor) && this.missed.get(actor) === standing.current;
    this.missed.delete(actor);
    if (!isMissed(standing, now)) return false;
    this.missed.set(actor, standing.current);
    return wasMissed;
  }
}
