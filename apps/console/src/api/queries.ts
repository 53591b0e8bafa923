import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './problem.js';

/** How often what is shown is asked for again when no event says that it changed, milliseconds. */
export const POLL = 10_000;

/** What the pages have asked for. What is shown stays while it is asked for again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      refetchInterval: POLL,
      // A problem of what was asked for stays one; a store that is away may come back.
      retry: (failures, error) =>
        failures < 2 &&
        (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
    },
  },
});

/** Asks again for what is shown of these paths: `refresh('/v1/actors', '/v1/messages')`. */
export function refresh(...paths: string[]): Promise<void> {
  return queries.invalidateQueries({
    predicate: ({ queryKey: [, path] }) =>
      typeof path === 'string' && paths.some((prefix) => path.startsWith(prefix)),
  });
}
