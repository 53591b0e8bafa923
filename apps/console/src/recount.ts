import type { components } from './api/openapi.js';
import { POLL, queries } from './api/queries.js';

type Actor = components['schemas']['Actor'];
type ActivityEvent = Extract<components['schemas']['Events'], { event: 'activity' }>['data'];

/**
 * Puts the numbers of messages that an event brings into what is shown: asking for them each second would cost much more. All else that is
 * shown of actors is asked for as often as without events: each number that is put in begins the wait for the next poll anew, which so
 * never comes while events do.
 */
export function recount(told: ActivityEvent['actors'], now: number = Date.now()): void {
  const counts = new Map(told.map((each) => [each.actor, each.counts]));
  const recounted = (actor: Actor): Actor => ({
    ...actor,
    counts: counts.get(actor.name) ?? actor.counts,
  });
  put<{ items: Actor[] }>('/v1/actors', (list) => ({ items: list.items.map(recounted) }));
  put<Actor>('/v1/actors/{actor}', recounted);
  void queries.invalidateQueries(
    {
      predicate: ({ queryKey: [, path], state: { dataUpdatedAt, errorUpdatedAt } }) =>
        (path === '/v1/actors' || path === '/v1/actors/{actor}') &&
        now - Math.max(dataUpdatedAt, errorUpdatedAt) >= POLL,
    },
    { cancelRefetch: false },
  );
}

/** Changes answers to calls of a path; they stay as old as they are. */
function put<Answer>(path: string, change: (answer: Answer) => Answer): void {
  for (const { queryKey, state } of queries.getQueryCache().findAll({ queryKey: ['get', path] })) {
    queries.setQueryData<Answer>(queryKey, (answer) => answer && change(answer), {
      updatedAt: state.dataUpdatedAt,
    });
  }
}
