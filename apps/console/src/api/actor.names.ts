import { api } from './client.js';
import { useMe } from './me.js';

/** Names of all actors, for a choice; none for who may not see them. */
export function useActorNames(): string[] {
  const { may } = useMe();
  const { data } = api.useQuery('get', '/v1/actors', {}, { enabled: may('actors:read') });
  return data?.items.map(({ name }) => name) ?? [];
}
