import type { ReactElement } from 'react';
import { useLocation } from 'wouter';
import { client, reasonHeader } from '../api/client.js';
import { useMe } from '../api/me.js';
import { refresh } from '../api/queries.js';
import { Page } from '../parts/page.js';
import { ScheduleForm } from './schedule.form.js';
import { pageOf } from './schedule.table.js';
import { bodyOf, NEW_SCHEDULE } from './schedule.values.js';

/** Makes a schedule. */
export function NewSchedulePage(): ReactElement {
  const [, go] = useLocation();
  const { may } = useMe();
  return (
    <Page title="New schedule">
      {may('schedules:write') ? (
        <ScheduleForm
          initial={NEW_SCHEDULE}
          isNew
          save={async (values, reason) => {
            await client.POST('/v1/schedules', {
              body: bodyOf(values),
              headers: reasonHeader(reason),
            });
            void refresh('/v1/schedules');
            go(pageOf(values.id));
          }}
        />
      ) : (
        <p>You may not make schedules: an admin may.</p>
      )}
    </Page>
  );
}
