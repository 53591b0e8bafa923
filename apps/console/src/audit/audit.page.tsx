import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';
import { AuditChange } from './audit.change.js';

type Entry = Shown['AuditPage']['items'][number];

const COLUMNS: readonly Column<Entry>[] = [
  { name: 'When', of: ({ at }) => <Moment at={at} /> },
  {
    name: 'Who',
    of: ({ name, who }) => (
      <div>
        {name}
        {who !== name && <div className="quiet small">{who}</div>}
      </div>
    ),
  },
  {
    name: 'What',
    of: ({ call, path }) => (
      <div>
        <code>{call.split(' ', 1)[0]}</code> {path}
      </div>
    ),
  },
  { name: 'Answer', of: ({ status }) => status ?? 'not known' },
  { name: 'Why', of: ({ reason }) => reason },
  { name: 'Changed', of: (entry) => <AuditChange entry={entry} /> },
];

/** Who changed what, when and why. */
export function AuditPage(): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/audit', {
    params: { query: { before: get('cursor') } },
  });
  return (
    <Page title="Audit">
      <DataTable
        caption="Changes, newest first"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={({ id }) => id}
        empty="Nobody has changed anything yet."
      />
      <Pager next={data?.next} />
    </Page>
  );
}
