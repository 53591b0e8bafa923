import { api, type Shown } from './client.js';

export type Permission = Shown['Me']['permissions'][number];

/** Who looks, and what they may. While nobody knows yet they may nothing; `error` says why that stays so. */
export function useMe(): {
  me: Shown['Me'] | undefined;
  may: (permission: Permission) => boolean;
  error: unknown;
} {
  const { data: me, error } = api.useQuery('get', '/v1/me', {}, { staleTime: 60_000 });
  return { me, may: (permission) => me?.permissions.includes(permission) ?? false, error };
}
