import type { Api } from '../api.js';
import { Failure } from '../exit.js';
import type { Shown } from '../shown.js';
import { when, type Check } from './check.js';

/** What runs, as the API tells. */
export interface Running {
  actors: readonly Shown['Actor'][];
  schedules: readonly Shown['Schedule'][];
  /** Actors that have messages waiting, none in work, and since when, ms. */
  idle: readonly { name: string; waiting: number; age: number }[];
  /** How late the event loop of the API was, seconds: the 99th percentile since it was asked last. */
  lag: number | undefined;
}

/** Messages that wait so long while none is in work, ms. */
const STUCK = 60_000;
const MANY_DEAD = 100;
const OFTEN = 3;
const LATE = 60_000;
const SLOW = 0.2;
const MOST_SCHEDULES = 1_000;

export const RUNNING: readonly Check<Running & { now: number }>[] = [
  {
    id: 'nobody-works',
    severity: 'error',
    find: ({ idle }) => {
      const stuck = idle.filter(({ age }) => age > STUCK);
      return when(
        stuck.length > 0,
        stuck
          .map(
            ({ name, waiting, age }) =>
              `${waiting} messages of ${name} wait for ${Math.round(age / 1_000)} s, and none is in work`,
          )
          .join('; '),
      );
    },
    fix: 'start a worker that has these actors: npm run start:worker, on the same CALLSHEET_URL',
  },
  {
    id: 'actor-paused',
    severity: 'warning',
    find: ({ actors }) => {
      const paused = actors.filter((actor) => actor.paused);
      return when(
        paused.length > 0,
        paused
          .map(
            ({ name, paused: pause }) =>
              `${name} is paused since ${pause?.since}: ${pause?.reason}`,
          )
          .join('; '),
      );
    },
    fix: 'callsheet actors resume <actor>, when its reason is gone',
  },
  {
    id: 'dead-letters-pile',
    severity: 'warning',
    find: ({ actors }) => {
      const piles = actors.filter(({ counts }) => counts.dead > MANY_DEAD);
      return when(
        piles.length > 0,
        piles.map(({ name, counts }) => `${counts.dead} dead letters of ${name}`).join('; '),
      );
    },
    fix: 'callsheet dead-letters groups tells what they died of; redrive or discard them',
  },
  {
    id: 'schedule-broken',
    severity: 'error',
    find: ({ schedules }) =>
      listed(
        schedules.filter(({ state, problem }) => state === 'broken' || problem !== undefined),
        ({ id, problem }) => `${id}: ${problem ?? 'broken'}`,
      ),
    fix: 'callsheet schedules show <id> tells what it needs; putting it again with --replace mends its rule',
  },
  {
    id: 'schedule-late',
    severity: 'error',
    find: ({ schedules, now }) =>
      listed(
        schedules.filter(
          ({ state, next }) =>
            state === 'active' && next !== undefined && Date.parse(next) < now - LATE,
        ),
        ({ id, next }) => `${id} was due at ${next}, and has not begun`,
      ),
    fix: 'see that a worker runs; its watchdog arms the timers of schedules that have lost theirs',
  },
  {
    id: 'schedule-fails',
    severity: 'warning',
    find: ({ schedules }) =>
      listed(
        schedules.filter(({ failures }) => failures >= OFTEN),
        ({ id, failures }) => `${id} has failed ${failures} times in a row`,
      ),
    fix: 'callsheet schedules runs <id> shows the errors',
  },
  {
    id: 'event-loop-lags',
    severity: 'warning',
    find: ({ lag }) =>
      when(
        lag !== undefined && lag > SLOW,
        `the event loop of the API was ${Math.round((lag ?? 0) * 1_000)} ms late`,
      ),
    fix: 'give it more CPU, run workers apart from it, or move what computes long out of handlers',
  },
];

/** @throws Failure when the API cannot be asked */
export async function runningFacts(api: Api, now: () => number): Promise<Running> {
  const { items: actors } = await api.get<Shown['ActorList']>('/v1/actors');
  const schedules: Shown['Schedule'][] = [];
  for await (const each of api.items<Shown['Schedule']>('/v1/schedules', MOST_SCHEDULES)) {
    schedules.push(each);
  }
  const suspects = actors.filter(
    ({ counts, paused }) => counts.waiting > 0 && counts.active === 0 && !paused,
  );
  const idle = await Promise.all(
    suspects.map(async ({ name, counts }) => {
      const query = { actor: name, state: 'waiting', limit: 1 };
      const { items } = await api.get<Shown['MessageList']>('/v1/messages', query);
      const [{ sentAt, dueAt } = {}] = items;
      const since = dueAt ?? sentAt;
      return {
        name,
        waiting: counts.waiting,
        age: since === undefined ? 0 : now() - Date.parse(since),
      };
    }),
  );
  return { actors, schedules, idle, lag: await lagOf(api) };
}

/** Metrics may be off, or not for this key. */
async function lagOf(api: Api): Promise<number | undefined> {
  try {
    const text = await api.get<string>('/metrics');
    const [, value] =
      /^callsheet_event_loop_lag_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text) ?? [];
    return value === undefined ? undefined : Number(value);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

const MOST_NAMED = 5;

function listed<T>(items: readonly T[], text: (item: T) => string): string | undefined {
  if (items.length === 0) return undefined;
  const more = items.length > MOST_NAMED ? `; and ${items.length - MOST_NAMED} more` : '';
  return items.slice(0, MOST_NAMED).map(text).join('; ') + more;
}
