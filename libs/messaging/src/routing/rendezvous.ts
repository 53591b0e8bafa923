/**
 * The name that a key belongs to. A name more or less moves only the keys that it gains or had: one in so many as there are
 * names. Each name bids for the key, and the highest bid has it (rendezvous hashing).
 *
 * @param names at least one; their order does not matter
 */
export function rendezvous(names: readonly string[], key: string): string {
  const salt = hashOf(key, START);
  let [best = ''] = names;
  let highest = -1;
  for (const name of names) {
    const bid = mixed(hashOf(name, salt));
    if (bid > highest || (bid === highest && name < best)) {
      highest = bid;
      best = name;
    }
  }
  return best;
}

const START = 0x811c9dc5;

/** FNV-1a, over UTF-16. */
function hashOf(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash;
}

/** The end of MurmurHash3: without it names that differ in their last letter would bid alike. */
function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 16);
  mix = Math.imul(mix, 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
