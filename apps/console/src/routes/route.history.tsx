import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';

type Change = Shown['RouteHistory']['items'][number];

const COLUMNS: readonly Column<Change>[] = [
  { name: 'When', of: ({ at }) => <Moment at={at} /> },
  { name: 'What', of: ({ change }) => change },
  { name: 'Revision', of: ({ revision }) => revision, numeric: true },
  { name: 'Who', of: ({ by }) => by },
  { name: 'Why', of: ({ reason }) => reason },
  {
    name: 'As it was then',
    of: ({ route, revision }) =>
      route && (
        <details>
          <summary>Revision {revision}</summary>
          <JsonView data={route} name={`Revision ${revision}`} />
        </details>
      ),
  },
];

/** The changes of a route, newest first, also of one that was removed. */
export function RouteHistory({ id }: { id: string }): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/routes/{id}/history', {
    params: { path: { id }, query: { cursor: get('cursor') } },
  });
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <DataTable
        caption="Changes, newest first"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={({ revision }) => revision}
        empty="No change is known."
      />
      <Pager next={data?.next} />
    </section>
  );
}
