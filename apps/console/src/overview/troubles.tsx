import type { ReactNode } from 'react';
import { pathTo, query } from '../address.js';
import { useActors } from '../api/actors.js';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { textOf } from '../api/problem.js';
import { span } from '../parts/time.js';

type Schedule = Shown['Schedule'];

/** Something that somebody should look at. */
interface Trouble {
  id: string;
  /** A word for a badge. */
  state: string;
  what: ReactNode;
  /** Where to look. Absent: nowhere in here. */
  href?: string;
}

/** How many of a kind are told of; more are a number. */
const MOST = 5;
/** As many as the API gives at once: if more are in trouble, the number says so. */
const TROUBLED = { params: { query: { troubled: 'true', limit: 100 } } } as const;

/**
 * What needs attention, the worst first: the store, keys that stand still, what is broken, what was given up, what somebody has paused.
 * Undefined while it is awaited. What one may not see is left out. The API finds schedules and pipelines in trouble among all of them; of
 * these a hundred are counted.
 */
export function useTroubles(): {
  troubles: Trouble[] | undefined;
  /** The groups of dead letters, which may not be all. */
  letters: Shown['DeadLetterGroups'] | undefined;
  error: unknown;
} {
  const { may } = useMe();
  const ready = api.useQuery('get', '/health/ready', {}, { retry: false });
  const actors = useActors();
  const letters = api.useQuery(
    'get',
    '/v1/dead-letters:groups',
    {},
    { enabled: may('dead-letters:read') },
  );
  const schedules = api.useQuery('get', '/v1/schedules', TROUBLED, {
    enabled: may('schedules:read'),
  });
  const pipelines = api.useQuery('get', '/v1/sync', TROUBLED, { enabled: may('sync:read') });
  const all = [actors, letters, schedules, pipelines];
  const isAwaited = ready.isLoading || all.some(({ isLoading }) => isLoading);

  const troubles: Trouble[] = [];
  if (ready.error) {
    troubles.push({
      id: 'store',
      state: 'broken',
      what: `The API is not ready: ${textOf(ready.error)}`,
    });
  }
  for (const { name, quarantined } of actors.actors ?? []) {
    if (quarantined === 0) continue;
    const keys = quarantined === 1 ? 'A key stands still' : `${quarantined} keys stand still`;
    troubles.push({
      id: `keys ${name}`,
      state: 'quarantined',
      what: `${keys}: ${name}`,
      href: pathTo('actors', name) + query({ keys: 'quarantined' }),
    });
  }
  troubles.push(
    ...few(brokenFirst(schedules.data), '/schedules?state=troubled', toScheduleTrouble),
    ...few(pipelines.data, '/sync?state=troubled', ({ name, state, failure, lag }) => ({
      id: `pipeline ${name}`,
      state,
      what: `Pipeline ${name}: ${failure?.message ?? 'its page was given up'}${lag === undefined ? '' : `, ${span(lag)} behind`}`,
      href: pathTo('sync', name),
    })),
    ...few(letters.data, '/dead-letters', (group) => ({
      id: `letters ${group.fingerprint}`,
      state: 'dead',
      what: `${times(group.count, 'dead letter')} of ${group.type}: ${group.error?.message ?? group.reason ?? ''}`,
      href: `/dead-letters${query({ fingerprint: group.fingerprint })}`,
    })),
  );
  for (const { name, paused } of actors.actors ?? []) {
    if (!paused) continue;
    troubles.push({
      id: `paused ${name}`,
      state: 'paused',
      what: `Actor ${name}: ${paused.reason}`,
      href: pathTo('actors', name),
    });
  }
  const error = all.map((each) => each.error as unknown).find((each) => each !== null);
  return { troubles: isAwaited ? undefined : troubles, letters: letters.data, error };
}

function brokenFirst(list: Shown['ScheduleList'] | undefined): Shown['ScheduleList'] | undefined {
  const isBroken = ({ state }: Schedule): number => (state === 'broken' ? 1 : 0);
  return list && { ...list, items: list.items.toSorted((a, b) => isBroken(b) - isBroken(a)) };
}

function toScheduleTrouble({ id, state, problem, failures, last }: Schedule): Trouble {
  const href = pathTo('schedules', 'of', id);
  if (state === 'broken') {
    const why = problem ?? 'its next occurrence cannot be computed';
    return { id: `schedule ${id}`, state, what: `Schedule ${id}: ${why}`, href };
  }
  const error = last?.error ? `, the last with ${last.error.message}` : '';
  const what = `Schedule ${id}: ${times(failures, 'run')} failed in a row${error}`;
  return { id: `schedule ${id}`, state: 'failing', what, href };
}

/** Troubles of a kind: the first of them, and how many more there are. */
function few<T>(
  list: { items: readonly T[]; next?: string } | undefined,
  href: string,
  toTrouble: (item: T) => Trouble,
): Trouble[] {
  const { items = [], next } = list ?? {};
  const shown = items.slice(0, MOST).map((item) => toTrouble(item));
  const [first] = shown;
  const left = items.length - shown.length;
  if (!first || left === 0) return shown;
  const what = next === undefined ? `${left} more` : `${left} more, at least`;
  return [...shown, { id: `more ${href}`, state: first.state, what, href }];
}

function times(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
