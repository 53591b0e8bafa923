import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';

/** Who paused something, as the audit log says; nothing for who may not read that, and when it was code. */
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
    { params: { query: { action: 'pause', target, limit: 1 } } },
    // Events tell of new entries.
    { enabled: may('audit:read'), refetchInterval: false },
  );
  const [last] = data?.items ?? [];
  return last && pausedIn(last).includes(since) ? <span> by {last.name}</span> : null;
}

/** When the pauses began that an entry tells of: of a schedule, an actor or a pipeline. */
function pausedIn({ after = {} }: Shown['AuditPage']['items'][number]): unknown[] {
  const { pause, paused } = after as Record<'pause' | 'paused', Record<string, unknown>>;
  return [pause?.['since'], paused?.['since'], pause?.['at']];
}
