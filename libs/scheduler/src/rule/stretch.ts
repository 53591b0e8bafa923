/** The length of a day on the wall. */
export const DAY = 86_400_000;

/** A stretch of wall time, from included, to excluded. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What a calendar answers: whether it has a time, and a stretch around the time in which the answer stays the same. */
export interface Answer extends Stretch {
  readonly has: boolean;
}

/** A calendar that can be asked. */
export interface Times {
  at(wall: number): Answer;
}

/** The calendar of stretches, of which some may overlap. */
export function stretchesOf(stretches: readonly Stretch[]): Times {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return {
    at(wall) {
      let low = 0;
      let high = merged.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((merged[middle]?.to ?? 0) <= wall) low = middle + 1;
        else high = middle;
      }
      const { from = Infinity, to = Infinity } = merged[low] ?? {};
      if (from <= wall) return { has: true, from, to };
      return { has: false, from: merged[low - 1]?.to ?? -Infinity, to: from };
    },
  };
}
