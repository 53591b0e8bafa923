import type { EventOf } from '../ledger.js';
import type { History } from '../history.js';
import { eventsOf, groupBy, type Check } from './check.js';

type Start = EventOf<'start'>;

/** Every start after the first has a reason: the run before it threw, or a fault touched one of the two. */
export const everyStartExplained: Check = (history) => {
  const faults = faultsOf(history);
  const ends = endsOf(history);
  return [...startsById(history)].flatMap(([id, starts]) =>
    starts.slice(1).flatMap((next, index) => {
      const before = starts[index]!;
      const end = ends.get(before.run);
      const hasFailed = end !== undefined && end.how !== 'returned' && end.t <= next.t;
      if (hasFailed || faults.touched(before, next.t) || faults.delayed(next)) return [];
      return [`${id} was begun again without a reason (${before.run}, ${next.run})`];
    }),
  );
};

/** Two executions of one key overlap only while a fault has taken the lock from one of them. */
export const singleWriter: Check = (history) => {
  const faults = faultsOf(history);
  const ends = endsOf(history);
  return [...startsByKey(history)].flatMap(([key, starts]) => {
    const found: string[] = [];
    let open: Start[] = [];
    for (const start of starts) {
      open = open.filter(({ run }) => (ends.get(run)?.t ?? Infinity) > start.t);
      for (const earlier of open) {
        if (faults.touched(earlier, start.t) || faults.delayed(start)) continue;
        found.push(`${key}: ${start.run} began while ${earlier.run} was at work`);
      }
      open.push(start);
    }
    return found;
  });
};

/**
 * What is committed is the run that was begun last: one that lost its lock commits nothing. A start in the aftermath of a fault
 * tells nothing: its message may have come before, and lost its lock on the way.
 */
export const zombiesCommitNothing: Check = (history) => {
  const faults = faultsOf(history);
  const punctual = eventsOf(history, 'start').filter((start) => !faults.delayed(start));
  const last = new Map(punctual.map((start) => [start.id, start]));
  const startOf = new Map(eventsOf(history, 'start').map((start) => [start.run, start]));
  return history.remains.commits.flatMap(({ of, run }) => {
    const [own, later] = [startOf.get(run), last.get(of)];
    if (!own || !later || later.t <= own.t) return [];
    return [`${of}: ${run} was committed, and ${later.run} had begun after it`];
  });
};

/** A key begins its messages in the order sent, and never goes back; but for what comes late because of a fault. */
export const inOrder: Check = (history) => {
  const faults = faultsOf(history);
  return [...startsByKey(history)].flatMap(([key, starts]) => {
    const found: string[] = [];
    let reached = -Infinity;
    for (const start of starts) {
      const { n = 0 } = start;
      if (n < reached && !faults.delayed(start))
        found.push(`${key}: ${n} was begun after ${reached}`);
      reached = Math.max(reached, n);
    }
    return found;
  });
};

/** How exactly two clocks can be compared, ms. */
const ROUNDING = 5;

/** Nothing starts before it is due. */
export const neverEarly: Check = (history) =>
  eventsOf(history, 'start')
    .filter(({ at, due }) => due !== undefined && at < due - ROUNDING)
    .map(({ id, at, due }) => `${id} began ${Math.round(due! - at)} ms before it was due`);

function startsById(history: History): Map<string, Start[]> {
  return groupBy(eventsOf(history, 'start'), ({ id }) => id);
}

function startsByKey(history: History): Map<string, Start[]> {
  const keyed = eventsOf(history, 'start').filter(({ key }) => key !== undefined);
  return groupBy(keyed, ({ key }) => key ?? '');
}

function endsOf(history: History): Map<string, EventOf<'end'>> {
  return new Map(eventsOf(history, 'end').map((end) => [end.run, end]));
}

/** How long what a fault has held up may still arrive, microseconds. */
const AFTERMATH = 2_000_000;

interface Faults {
  /** Whether one touched this run, or everybody, while it was on its way or ran, and before `until`. */
  touched(run: Start, until: number): boolean;
  /** Whether one may have held this start up. */
  delayed(start: Start): boolean;
}

function faultsOf(history: History): Faults {
  const byVictim = groupBy(eventsOf(history, 'fault'), ({ victim }) => `${victim ?? 'all'}`);
  const touched = ({ pid, t }: Start, until: number): boolean =>
    [...(byVictim.get(`${pid}`) ?? []), ...(byVictim.get('all') ?? [])].some(
      (fault) => fault.t <= until && fault.until + AFTERMATH >= t,
    );
  return { touched, delayed: (start) => touched(start, start.t) };
}
