import { api, type Shown } from './client.js';

export type Permission = Shown['Me']['permissions'][number];

/** Who looks, and what they may. */
export function useMe(): { me: Shown['Me'] | undefined; may: (permission: Permission) => boolean } {
  const { data: me } = api.useQuery('get', '/v1/me', {}, { staleTime: 60_000 });
  return { me, may: (permission) => me?.permissions.includes(permission) ?? false };
}
