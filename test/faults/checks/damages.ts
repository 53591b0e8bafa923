import type { History } from '../history.js';
import type { EventOf } from '../ledger.js';
import { eventsOf } from './check.js';
import type { CheckName } from './index.js';

/** One way in which a good history is made a bad one, and the check that must see it. */
export interface Damage {
  title: string;
  by: CheckName;
  /** @param where chooses what is damaged; undefined when there is nothing to damage in this history */
  damage: (history: History, where: number) => History | undefined;
}

function oneOf<T>(items: readonly T[], where: number): T | undefined {
  return items[where % items.length];
}

/** Another execution of a message that was committed, begun `after` microseconds after the first began. */
function begunAgain(history: History, where: number, after: number): History | undefined {
  const ran = new Set(history.remains.commits.map(({ run }) => run));
  const start = oneOf(
    eventsOf(history, 'start').filter(({ run }) => ran.has(run)),
    where,
  );
  if (!start) return undefined;
  const again: EventOf<'start'> = { ...start, run: 'another', t: start.t + after, pid: -1 };
  return { ...history, events: [...history.events, again].sort((a, b) => a.t - b.t) };
}

export const DAMAGES: readonly Damage[] = [
  {
    title: 'a message that is nowhere',
    by: 'nothingLost',
    damage: (history, where) => {
      const { commits } = history.remains;
      return commits.splice(where % commits.length, 1).length > 0 ? history : undefined;
    },
  },
  {
    title: 'a message sent by a turn that is nowhere',
    by: 'nothingLost',
    damage: (history, where) => {
      const commit = oneOf(history.remains.commits, where);
      if (!commit) return undefined;
      commit.sent = ['tick'];
      return history;
    },
  },
  {
    title: 'a commit that nobody sent a message for',
    by: 'nothingFromNowhere',
    damage: (history) => {
      history.remains.commits.push({ of: 'nobody', run: 'none' });
      return history;
    },
  },
  {
    title: 'a second commit',
    by: 'committedOnce',
    damage: ({ events, remains }, where) => {
      const commit = oneOf(remains.commits, where);
      if (!commit) return undefined;
      return { events, remains: { ...remains, commits: [...remains.commits, commit] } };
    },
  },
  {
    title: 'a row too few, and one too many',
    by: 'committedOnce',
    damage: ({ events, remains }, where) => {
      const { commits } = remains;
      if (commits.length === 0) return undefined;
      const rows = commits.slice();
      const [row] = rows.splice(where % rows.length, 1);
      if (where % 2 === 0) rows.push(...commits, row!);
      return { events, remains: { ...remains, rows } };
    },
  },
  {
    title: 'a dead letter that nobody gave up',
    by: 'deadLettersExact',
    damage: (history, where) => {
      const [commit] = history.remains.commits.splice(where % history.remains.commits.length, 1);
      if (!commit) return undefined;
      history.remains.dead.push(commit.of);
      return history;
    },
  },
  {
    title: 'a message given up that is no dead letter',
    by: 'deadLettersExact',
    damage: (history, where) => {
      const { dead } = history.remains;
      return dead.splice(where % dead.length, 1).length > 0 ? history : undefined;
    },
  },
  {
    title: 'half of a batch',
    by: 'allOrNone',
    damage: (history, where) => {
      const { commits, dead } = history.remains;
      const [commit] = commits.splice(where % commits.length, 1);
      const isHalf = [...commits.map(({ of }) => of), ...dead].some(
        (id) => id.split('-')[0] === commit?.key,
      );
      return isHalf ? history : undefined;
    },
  },
  {
    title: 'a message begun again without a reason',
    by: 'everyStartExplained',
    damage: (history, where) => begunAgain(history, where, 2),
  },
  {
    title: 'two turns of a key at once',
    by: 'singleWriter',
    damage: (history, where) => begunAgain(history, where, 1),
  },
  {
    title: 'a commit by a run that was no longer the last',
    by: 'zombiesCommitNothing',
    damage: (history, where) => begunAgain(history, where, 1),
  },
  {
    title: 'a key that goes back',
    by: 'inOrder',
    damage: (history, where) => {
      const later = eventsOf(history, 'start').filter(({ n }) => n !== 0);
      const start = oneOf(later, where);
      if (!start) return undefined;
      const first: EventOf<'start'> = { ...start, id: `${start.key}-0`, n: 0, t: start.t + 1 };
      return { ...history, events: [...history.events, first].sort((a, b) => a.t - b.t) };
    },
  },
  {
    title: 'a start before it is due',
    by: 'neverEarly',
    damage: (history, where) => {
      const start = oneOf(eventsOf(history, 'start'), where)!;
      start.due = start.at + 6;
      return history;
    },
  },
  {
    title: 'an update of a state that was lost, doubled or applied elsewhere',
    by: 'stateIsFold',
    damage: (history, where) => {
      const key = oneOf(Object.keys(history.remains.states), where);
      if (key === undefined) return undefined;
      history.remains.states[key]!.digest += 1;
      return history;
    },
  },
  {
    title: 'a state without commits',
    by: 'stateIsFold',
    damage: (history) => {
      history.remains.states['another'] = { count: 0, last: 0, digest: 0 };
      return history;
    },
  },
  {
    title: 'a timer that was not moved',
    by: 'timersMoved',
    damage: (history, where) => {
      const key = oneOf(Object.keys(history.remains.timers), where);
      if (key === undefined) return undefined;
      history.remains.timers[key]! -= 1;
      return history;
    },
  },
  {
    title: 'what nobody will take away',
    by: 'noOrphans',
    damage: (history) => {
      history.remains.leftovers.push('a lock');
      return history;
    },
  },
  {
    title: 'work that was not done',
    by: 'drained',
    damage: (history, where) => {
      const [commit] = history.remains.commits.splice(where % history.remains.commits.length, 1);
      if (!commit) return undefined;
      history.remains.pending.push(commit.of);
      return history;
    },
  },
  {
    title: 'work of a killed process that waits too long',
    by: 'recoveredInTime',
    damage: (history, where) => {
      const fault = oneOf(eventsOf(history, 'fault'), where);
      const ended = new Set(eventsOf(history, 'end').map(({ run }) => run));
      const hasOrphan = eventsOf(history, 'start').some(
        ({ pid, run }) => pid === fault?.victim && !ended.has(run),
      );
      if (!fault || !hasOrphan) return undefined;
      for (const event of history.events) if (event.t > fault.t) event.t += 21_000_000;
      return history;
    },
  },
];
