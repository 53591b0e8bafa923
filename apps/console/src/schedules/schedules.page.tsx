import type { ReactElement } from 'react';
import { Link, useSearch } from 'wouter';
import { query } from '../address.js';
import { api } from '../api/client.js';
import { useMe } from '../api/me.js';
import { FilterBar } from '../parts/filter.bar.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Tabs } from '../parts/tabs.js';
import { useUrlState } from '../parts/url.state.js';
import { ScheduleCalendar, type ScheduleFilter } from './schedule.calendar.js';
import { ScheduleTable } from './schedule.table.js';

const STATES = ['active', 'paused', 'finished', 'broken'] as const;
/** Beside the states, in the same field: broken, or with runs that fail. */
const TROUBLED = 'troubled';
/** The runs of each that is shown are asked for. */
const SHOWN = 25;

/** All schedules, as a list or as a calendar of what comes next. */
export function SchedulesPage(): ReactElement {
  const search = useSearch();
  const { get } = useUrlState();
  const { may } = useMe();
  const isCalendar = get('view') === 'calendar';
  const filter: ScheduleFilter = {
    q: get('q'),
    tag: get('tag'),
    state: STATES.find((state) => state === get('state')),
    troubled: get('state') === TROUBLED ? 'true' : undefined,
  };
  const to = (view: string | undefined) =>
    `/schedules${query({ view, cursor: undefined }, search)}`;
  return (
    <Page
      title="Schedules"
      actions={
        may('schedules:write') && (
          <Link href="/schedules/new" className="button">
            New schedule
          </Link>
        )
      }
    >
      <FilterBar
        filters={[
          { name: 'q', label: 'Id, description or type' },
          { name: 'tag', label: 'Tag' },
          { name: 'state', label: 'State', options: [...STATES, TROUBLED] },
        ]}
      />
      <Tabs
        name="Views"
        tabs={[
          { name: 'List', href: to(undefined), current: !isCalendar },
          { name: 'Calendar', href: to('calendar'), current: isCalendar },
        ]}
      />
      {isCalendar ? <ScheduleCalendar filter={filter} /> : <List filter={filter} />}
    </Page>
  );
}

function List({ filter }: { filter: ScheduleFilter }): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/schedules', {
    params: { query: { ...filter, limit: SHOWN, cursor: get('cursor') } },
  });
  return (
    <>
      <ScheduleTable schedules={data?.items} error={error} />
      <Pager next={data?.next} />
    </>
  );
}
