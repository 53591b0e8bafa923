import { eventsOf, groupBy, type Check } from './check.js';

/** The work of a killed process begins again within ten seconds; a test on a busy machine allows twice that. */
const RECOVERY = 2 * 10_000_000;

/** How long work that a dead process held waited for another, microseconds, ascending. */
export function recoveries(history: Parameters<Check>[0]): number[] {
  const kills = eventsOf(history, 'fault').filter(({ victim }) => victim !== undefined);
  const killedAt = new Map(kills.map(({ victim, until }) => [victim, until]));
  const ended = new Set(eventsOf(history, 'end').map(({ run }) => run));
  return [...groupBy(eventsOf(history, 'start'), ({ id }) => id).values()]
    .flatMap((starts) =>
      starts.slice(1).flatMap((next, index) => {
        const before = starts[index]!;
        const killed = killedAt.get(before.pid);
        return killed === undefined || ended.has(before.run) ? [] : [Math.max(0, next.t - killed)];
      }),
    )
    .sort((a, b) => a - b);
}

export const recoveredInTime: Check = (history) =>
  recoveries(history)
    .filter((wait) => wait > RECOVERY)
    .map((wait) => `work of a killed process began again after ${Math.round(wait / 1_000)} ms`);

/** A run with fewer faults than it says has proved nothing. */
export function enoughFaults(atLeast: Readonly<Record<string, number>>): Check {
  return (history) => {
    const faults = groupBy(eventsOf(history, 'fault'), ({ name }) => name);
    return Object.entries(atLeast).flatMap(([name, count]) => {
      const found = faults.get(name)?.length ?? 0;
      return found >= count ? [] : [`vacuous: ${found} of ${count} faults '${name}' happened`];
    });
  };
}
