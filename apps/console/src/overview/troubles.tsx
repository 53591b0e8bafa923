import type { ReactNode } from 'react';
import { pathTo, query } from '../address.js';
import { useActors } from '../api/actors.js';
import { api } from '../api/client.js';
import { useMe } from '../api/me.js';
import { textOf } from '../api/problem.js';
import { span } from '../parts/time.js';

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
/** As many as the API gives at once. */
const PAGE = { limit: 100 } as const;

/**
 * What needs attention, the worst first: the store, keys that stand still, what is broken, what was given up, what somebody has paused.
 * Undefined while it is awaited. What one may not see is left out.
 */
export function useTroubles(): {
  troubles: Trouble[] | undefined;
  /** Whether there are more schedules or pipelines than were looked at for failures. */
  isPart: boolean;
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
  const broken = api.useQuery(
    'get',
    '/v1/schedules',
    { params: { query: { ...PAGE, state: 'broken' } } },
    { enabled: may('schedules:read') },
  );
  const schedules = api.useQuery(
    'get',
    '/v1/schedules',
    { params: { query: PAGE } },
    { enabled: may('schedules:read') },
  );
  const pipelines = api.useQuery(
    'get',
    '/v1/sync',
    { params: { query: PAGE } },
    { enabled: may('sync:read') },
  );
  const all = [actors, letters, broken, schedules, pipelines];
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
  const failing = schedules.data?.items.filter(({ failures }) => failures > 0) ?? [];
  troubles.push(
    ...few(broken.data?.items ?? [], '/schedules?state=broken', ({ id, problem }) => ({
      id: `schedule ${id}`,
      state: 'broken',
      what: `Schedule ${id}: ${problem ?? 'its next occurrence cannot be computed'}`,
      href: pathTo('schedules', 'of', id),
    })),
    ...few(failing, '/schedules', ({ id, failures, last }) => ({
      id: `failing ${id}`,
      state: 'failing',
      what: `Schedule ${id}: ${times(failures, 'run')} failed in a row${last?.error ? `, the last with ${last.error.message}` : ''}`,
      href: pathTo('schedules', 'of', id),
    })),
    ...few(
      pipelines.data?.items.filter(({ state }) => state === 'failed' || state === 'retrying') ?? [],
      '/sync',
      ({ name, state, failure, lag }) => ({
        id: `pipeline ${name}`,
        state,
        what: `Pipeline ${name}: ${failure?.message ?? 'its page was given up'}${lag === undefined ? '' : `, ${span(lag)} behind`}`,
        href: pathTo('sync', name),
      }),
    ),
    ...few(letters.data?.items ?? [], '/dead-letters', (group) => ({
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
  const isPart = [schedules, pipelines].some(({ data }) => data?.next !== undefined);
  return { troubles: isAwaited ? undefined : troubles, isPart, error };
}

/** Troubles of a kind: the first of them, and how many more there are. */
function few<T>(items: readonly T[], href: string, toTrouble: (item: T) => Trouble): Trouble[] {
  const shown = items.slice(0, MOST).map((item) => toTrouble(item));
  const [first] = shown;
  const left = items.length - shown.length;
  if (!first || left === 0) return shown;
  return [...shown, { id: `more ${href}`, state: first.state, what: `${left} more`, href }];
}

function times(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
