import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { FilterBar } from '../parts/filter.bar.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';
import { useUrlState } from '../parts/url.state.js';

type Pipeline = Shown['Pipeline'];

/** Its page has failed, or was given up. */
const TROUBLED = 'troubled';

/** The dead letters of a pipeline: its bad rows, and pages that were given up. */
export function lettersOf(pipeline: string): string {
  return `/dead-letters${query({ actor: pipeline })}`;
}

const COLUMNS: readonly Column<Pipeline>[] = [
  {
    name: 'Pipeline',
    of: ({ name }) => <Link href={pathTo('sync', name)}>{name}</Link>,
  },
  {
    name: 'State',
    of: ({ state, pause, failure }) => (
      <div>
        <StateBadge state={state} />
        {(pause?.reason ?? failure?.message) && (
          <div className="quiet small lines">{pause?.reason ?? failure?.message}</div>
        )}
      </div>
    ),
  },
  { name: 'Lag', of: ({ lag }) => lag !== undefined && span(lag), numeric: true },
  { name: 'Rows', of: ({ rows }) => rows.toLocaleString(), numeric: true },
  { name: 'Rows per s', of: ({ rate }) => rate !== undefined && +rate.toFixed(1), numeric: true },
  {
    name: 'Bad rows',
    of: ({ bad, name }) => (bad > 0 ? <Link href={lettersOf(name)}>{bad}</Link> : bad),
    numeric: true,
  },
  { name: 'Errors', of: ({ errors }) => errors, numeric: true },
  {
    name: 'Last run',
    of: ({ last }) =>
      last && (
        <div>
          <StateBadge state={last.outcome} /> <Moment at={last.finishedAt} />
        </div>
      ),
  },
  {
    name: 'Cursor',
    of: ({ cursor }) => <code className="lines">{JSON.stringify(cursor)}</code>,
  },
];

/** All pipelines: how far they are, and what keeps them. */
export function SyncPage(): ReactElement {
  const { get } = useUrlState();
  const troubled = get('state') === TROUBLED ? 'true' : undefined;
  const { data, error } = api.useQuery('get', '/v1/sync', {
    params: { query: { troubled, cursor: get('cursor') } },
  });
  return (
    <Page title="Sync">
      <FilterBar filters={[{ name: 'state', label: 'State', options: [TROUBLED] }]} />
      <DataTable
        caption="Pipelines by name"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={({ name }) => name}
        empty={troubled ? 'None is in trouble.' : 'No pipeline is here: a worker declares them.'}
      />
      <Pager next={data?.next} />
    </Page>
  );
}
