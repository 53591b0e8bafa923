import { api, type Shown } from './client.js';
import { useMe } from './me.js';

/** All actors; undefined while they are awaited, and for who may not see them. */
export function useActors(): {
  actors: Shown['Actor'][] | undefined;
  isLoading: boolean;
  error: unknown;
} {
  const { may } = useMe();
  const { data, isLoading, error } = api.useQuery(
    'get',
    '/v1/actors',
    {},
    { enabled: may('actors:read') },
  );
  return { actors: data?.items, isLoading, error };
}

/** Their names, for a choice. */
export function useActorNames(): string[] {
  return useActors().actors?.map(({ name }) => name) ?? [];
}
