import { useState, type ReactElement } from 'react';
import { Link } from 'wouter';
import { api, client, reasonHeader, type Shown } from '../api/client.js';
import { etagOf } from '../api/etag.js';
import { useMe } from '../api/me.js';
import { refresh } from '../api/queries.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonView } from '../parts/json.view.js';
import { Page } from '../parts/page.js';
import { useUrlState } from '../parts/url.state.js';
import { Occurrences } from './occurrences.js';
import { ScheduleActions } from './schedule.actions.js';
import { ScheduleFacts } from './schedule.facts.js';
import { ScheduleForm } from './schedule.form.js';
import { ScheduleRuns } from './schedule.runs.js';
import { bodyOf, valuesOf } from './schedule.values.js';

type Schedule = Shown['Schedule'];

/** A schedule: what it does, what comes next, what has become of its runs; `edit=yes` in the address changes it. */
export function SchedulePage({ id }: { id: string }): ReactElement {
  const { get, set } = useUrlState();
  const { may } = useMe();
  const { data, error } = api.useQuery('get', '/v1/schedules/{id}', { params: { path: { id } } });
  const isEdited = get('edit') !== undefined && may('schedules:write') && data?.owner === undefined;
  return (
    <Page
      title={isEdited ? `Change ${id}` : id}
      actions={
        data &&
        (isEdited ? (
          <button type="button" onClick={() => set({ edit: undefined })}>
            Leave as it is
          </button>
        ) : (
          <ScheduleActions schedule={data} />
        ))
      }
    >
      <FailureNote error={error} />
      {data &&
        (isEdited ? (
          <Editing schedule={data} done={() => set({ edit: undefined })} />
        ) : (
          <>
            <div className="beside">
              <ScheduleFacts schedule={data} />
              <NextRuns id={id} isPaused={data.pause !== undefined} />
            </div>
            <ScheduleRuns id={id} />
            <h2>Message of each run</h2>
            <p>{data.message.type}</p>
            {data.message.data && <JsonView data={data.message.data} name="Data of the message" />}
          </>
        ))}
      {!data && (
        <p>
          <Link href="/schedules">All schedules</Link>
        </p>
      )}
    </Page>
  );
}

function Editing({ schedule, done }: { schedule: Schedule; done: () => void }): ReactElement {
  // What was shown when the editing began is what is changed: if somebody else changes it meanwhile, saving says so.
  const [begun] = useState(schedule);
  const { id, message } = begun;
  return (
    <ScheduleForm
      initial={valuesOf(begun)}
      isNew={false}
      save={async (values, reason) => {
        const version = values.type === message.type ? message.version : undefined;
        await client.PUT('/v1/schedules/{id}', {
          params: { path: { id }, header: { 'If-Match': etagOf(begun) } },
          body: bodyOf(values, version),
          headers: reasonHeader(reason),
        });
        await refresh('/v1/schedules');
        done();
      }}
    />
  );
}

function NextRuns({ id, isPaused }: { id: string; isPaused: boolean }): ReactElement {
  const { data, error } = api.useQuery('get', '/v1/schedules/{id}/next', {
    params: { path: { id }, query: { count: 5 } },
  });
  return (
    <section aria-labelledby="next" className="card">
      <h2 id="next">Next</h2>
      <FailureNote error={error} />
      {isPaused && <p className="quiet">Paused: none of these runs before it is resumed.</p>}
      {data && <Occurrences of={data.occurrences} empty="It runs no more." />}
    </section>
  );
}
