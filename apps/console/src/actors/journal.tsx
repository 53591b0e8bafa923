import type { ReactElement } from 'react';
import { api } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';

interface Row {
  id: string;
  at: string;
  row: Record<string, unknown>;
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'When', of: ({ at }) => <Moment at={at} /> },
  { name: 'Row', of: ({ row }) => <code>{JSON.stringify(row)}</code> },
];

/** What turns of a key have noted, newest first, a page at a time. */
export function Journal({ actor, name }: { actor: string; name: string }): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/actors/{actor}/keys/{key}/journal', {
    params: { path: { actor, key: name }, query: { before: get('cursor') } },
  });
  return (
    <section>
      <h2>Journal</h2>
      <DataTable
        caption="Rows of the journal, newest first"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={({ id }) => id}
        empty="Its turns have noted nothing."
      />
      <Pager next={data?.next} />
    </section>
  );
}
