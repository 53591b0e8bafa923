import type { ReactElement } from 'react';
import { client, reasonHeader } from '../api/client.js';
import { PlannedAction } from '../parts/planned.action.js';
import { refreshLetters } from './letter.calls.js';
import type { LetterFilter } from './letter.filter.js';
import { redriveCounted } from './redrive.loop.js';

/** Redrives all that the filter shows, after a dry run. */
export function BulkRedrive({ filter }: { filter: LetterFilter }): ReactElement {
  return (
    <PlannedAction
      name="Redrive all that match"
      verb={(count) => `Redrive ${count}`}
      reason
      plan={async () => {
        const { data } = await client.POST('/v1/dead-letters:redrive', {
          body: { ...filter, dryRun: true, limit: 1 },
        });
        return { count: data?.matched ?? 0, text: said(filter, data?.matched ?? 0) };
      }}
      run={async (_form, counted, watch, reason) => {
        const call = async (limit: number) => {
          const { data } = await client.POST('/v1/dead-letters:redrive', {
            body: { ...filter, limit },
            headers: reasonHeader(reason),
          });
          return data ?? { count: 0, more: false };
        };
        try {
          return await redriveCounted(call, counted, watch);
        } finally {
          void refreshLetters();
        }
      }}
    />
  );
}

function said(filter: LetterFilter, count: number): string {
  const narrowed = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
  const which = narrowed.length > 0 ? `match ${narrowed.join(', ')}` : 'are there in all';
  return `${count} dead letters ${which}. All attempts are available to them again.`;
}
