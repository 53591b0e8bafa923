import type { ReactElement } from 'react';
import { useLocation } from 'wouter';
import { client, reasonHeader, type Shown } from '../api/client.js';
import { etagOf } from '../api/etag.js';
import { useMe } from '../api/me.js';
import { refresh } from '../api/queries.js';
import { ActionButton } from '../parts/action.button.js';
import { instantOf } from '../parts/local.time.js';
import { textIn } from '../parts/text.in.js';
import { useUrlState } from '../parts/url.state.js';
import { BackfillAction } from './backfill.action.js';

/** What can be done with a schedule by who may. */
export function ScheduleActions({ schedule }: { schedule: Shown['Schedule'] }): ReactElement {
  const { id, state, owner } = schedule;
  const { may } = useMe();
  const { set } = useUrlState();
  const [, go] = useLocation();
  const params = { path: { id } };
  const isOurs = owner === undefined && may('schedules:write');
  return (
    <>
      {may('schedules:operate') && (
        <>
          <ActionButton
            name="Trigger now"
            run={async (form) => {
              const overlap = textIn(form, 'overlap');
              await client.POST('/v1/schedules/{id}/trigger', {
                params,
                body: overlap ? { overlap: overlap as Shown['Schedule']['overlap'] } : undefined,
              });
              await refresh('/v1/schedules', '/v1/messages');
            }}
          >
            <p>A run starts now, beside those that are due.</p>
            <label>
              If a run is in work
              <select name="overlap">
                <option value="">as the schedule says</option>
                <option value="allow">run beside it</option>
                <option value="buffer-one">wait for its end</option>
                <option value="cancel-other">cancel it, and run when it has ended</option>
              </select>
            </label>
          </ActionButton>
          {state === 'paused' ? (
            <ActionButton
              name="Resume"
              run={async () => {
                await client.POST('/v1/schedules/{id}/resume', { params });
                await refresh('/v1/schedules');
              }}
            />
          ) : (
            <ActionButton
              name="Pause"
              reason="required"
              after={
                <label>
                  Goes on by itself at (optional)
                  <input type="datetime-local" name="until" />
                </label>
              }
              run={async (form, reason) => {
                const until = instantOf(form.get('until'));
                await client.POST('/v1/schedules/{id}/pause', { params, body: { reason, until } });
                await refresh('/v1/schedules');
              }}
            />
          )}
          <BackfillAction id={id} />
        </>
      )}
      {isOurs && (
        <>
          <button type="button" onClick={() => set({ edit: 'yes' })}>
            Change
          </button>
          <ActionButton
            name="Delete"
            reason="required"
            danger
            run={async (_form, reason) => {
              await client.DELETE('/v1/schedules/{id}', {
                params: { ...params, header: { 'If-Match': etagOf(schedule) } },
                headers: reasonHeader(reason),
              });
              go('/schedules');
              void refresh('/v1/schedules');
            }}
          >
            <p>Its history goes with it. Runs in work go on.</p>
          </ActionButton>
        </>
      )}
    </>
  );
}
