import type { ReactElement } from 'react';
import { api } from '../api/client.js';
import { useMe } from '../api/me.js';
import { NEAR, pauseEntry } from './pause.entry.js';

/** Who paused something, where the audit log still tells; nothing for who may not read that, and when it was code. */
export function PausedBy({
  target,
  since,
}: {
  /** As the audit log names it: `schedules/weekly`. */
  target: string;
  since: string;
}): ReactElement | null {
  const { may } = useMe();
  const { data } = api.useQuery(
    'get',
    '/v1/audit',
    { params: { query: { action: 'pause', target, limit: 100 } } },
    {
      // Once it is found it stays; only while the pause is young may there come a nearer one.
      enabled: ({ state }) =>
        may('audit:read') &&
        (state.dataUpdatedAt < Date.parse(since) + NEAR ||
          pauseEntry(state.data?.items ?? [], target, since) === undefined),
    },
  );
  const entry = data && pauseEntry(data.items, target, since);
  return entry ? <span> by {entry.name}</span> : null;
}
