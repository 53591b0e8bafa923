import type { ReactElement } from 'react';
import { client, reasonHeader } from '../api/client.js';
import { refresh } from '../api/queries.js';
import { instantOf, localField } from '../parts/local.time.js';
import { PlannedAction } from '../parts/planned.action.js';

const DAY = 86_400_000;

/** Runs what was due in a range of time, after it is said how many runs that are. */
export function BackfillAction({ id }: { id: string }): ReactElement {
  const params = { path: { id } };
  return (
    <PlannedAction
      name="Backfill"
      verb={(count) => (count === 1 ? 'Start 1 run' : `Start ${count} runs`)}
      reason
      plan={async (form) => {
        const { data } = await client.POST('/v1/schedules/{id}/backfill', {
          params,
          body: { ...rangeOf(form), dryRun: true },
        });
        const count = data?.count ?? 0;
        const text =
          count === 0
            ? 'Nothing was due in that time.'
            : `${count} ${count === 1 ? 'occurrence was' : 'occurrences were'} due in that time; each runs, whether it has run or not.`;
        return { count, text };
      }}
      run={async (form, _planned, _watch, reason) => {
        const { data } = await client.POST('/v1/schedules/{id}/backfill', {
          params,
          body: rangeOf(form),
          headers: reasonHeader(reason),
        });
        void refresh('/v1/schedules', '/v1/messages');
        return `${data?.count ?? 0} runs are under way: they stand among the runs.`;
      }}
    >
      <div className="pair">
        <label>
          After
          <input
            type="datetime-local"
            name="from"
            required
            defaultValue={localField(Date.now() - DAY)}
          />
        </label>
        <label>
          Up to
          <input type="datetime-local" name="to" required defaultValue={localField(Date.now())} />
        </label>
      </div>
      <label className="check">
        <input type="checkbox" name="parallel" /> Side by side, not one after the other
      </label>
    </PlannedAction>
  );
}

function rangeOf(form: FormData): { from: string; to: string; parallel: boolean } {
  return {
    from: instantOf(form.get('from')) ?? '',
    to: instantOf(form.get('to')) ?? '',
    parallel: form.get('parallel') !== null,
  };
}
