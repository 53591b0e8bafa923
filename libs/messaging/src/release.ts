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

/**
 * Whether a release of which a process starts is to be the one in force. One that nobody has seen before is newer than the others;
 * a known one has started again, and stands back while there are processes of the one that took its place.
 */
export function prevails(id: string, { current, releases }: Standing, now: number): boolean {
  if (current === undefined || current === id) return true;
  if (!releases.some((each) => each.id === id)) return true;
  // One that nobody has seen has come this very moment.
  const seenAt = lastSeen(current, releases) ?? now;
  return seenAt < now - PRESENCE;
}

function lastSeen(id: string | undefined, releases: readonly Release[]): number | undefined {
  return releases.find((each) => each.id === id)?.seenAt;
}

/** Finds out while a process runs, by looking at every {@link RELEASE_BEAT}, that the release in force is gone. */
export class ReleaseWatch {
  private readonly missed = new Set<string>();

  /**
   * Whether nobody of the release in force was there at this look and the one before: after an outage of the store nobody was seen
   * for a while, and those that are there have a beat to say so.
   */
  isGone(actor: string, { current, releases }: Standing, now: number): boolean {
    const wasMissed = this.missed.delete(actor);
    if ((lastSeen(current, releases) ?? -Infinity) >= now - PRESENCE) return false;
    this.missed.add(actor);
    return wasMissed;
  }
}
