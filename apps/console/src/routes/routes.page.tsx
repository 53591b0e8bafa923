import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { StateBadge } from '../parts/state.badge.js';
import { useUrlState } from '../parts/url.state.js';
import { NewRoutePage, pageOf, RoutePage } from './route.page.js';
import { matchText, receiverText } from './route.text.js';
import { RouteTrial } from './route.trial.js';

type Route = Shown['Route'];

const COLUMNS: readonly Column<Route>[] = [
  { name: 'Order', of: ({ order }) => order, numeric: true },
  {
    name: 'Route',
    of: ({ id, disabled, last }) => (
      <div>
        <Link href={pageOf(id)}>{id}</Link> {disabled && <StateBadge state="disabled" />}
        {last && <StateBadge state="last" />}
      </div>
    ),
  },
  { name: 'Takes', of: ({ match }) => matchText(match) },
  { name: 'Leads to', of: ({ to }) => to.map(receiverText).join('; ') },
  { name: 'Changed', of: ({ changedAt }) => <Moment at={changedAt} /> },
];

/** Stored routes, and where an event would be led by them; `id` in the address opens one, `new` makes one. */
export function RoutesPage(): ReactElement {
  const { get } = useUrlState();
  const id = get('id');
  if (id !== undefined) return <RoutePage key={id} id={id} />;
  return get('new') === undefined ? <AllRoutes /> : <NewRoutePage />;
}

function AllRoutes(): ReactElement {
  const { get } = useUrlState();
  const { may } = useMe();
  const { data, error } = api.useQuery('get', '/v1/routes', {
    params: { query: { cursor: get('cursor') } },
  });
  // As they are looked at; the API pages them by id.
  const rows = data && [...data.items].sort((one, other) => one.order - other.order);
  return (
    <Page
      title="Routes"
      actions={
        may('routes:write') && (
          <Link href="/routes?new=yes" className="button">
            New route
          </Link>
        )
      }
    >
      <DataTable
        caption="Stored routes, in the order they are looked at"
        columns={COLUMNS}
        rows={rows}
        error={error}
        id={({ id }) => id}
        empty="No route is stored: events go to the actors that subscribe to them."
      />
      <Pager next={data?.next} />
      <RouteTrial />
    </Page>
  );
}
