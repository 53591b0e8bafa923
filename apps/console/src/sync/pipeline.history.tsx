import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { Pager } from '../parts/pager.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';
import { useUrlState } from '../parts/url.state.js';

type Entry = Shown['PipelineHistory']['items'][number];

const COLUMNS: readonly Column<Entry>[] = [
  {
    name: 'What',
    of: (entry) => <StateBadge state={entry.kind === 'run' ? entry.outcome : entry.what} />,
  },
  { name: 'When', of: ({ at }) => <Moment at={at} /> },
  { name: 'Why', of: (entry) => entry.kind === 'run' && entry.reason },
  {
    name: 'Took',
    of: (entry) =>
      entry.kind === 'run' && span(Date.parse(entry.finishedAt) - Date.parse(entry.startedAt)),
    numeric: true,
  },
  { name: 'Rows', of: (entry) => entry.kind === 'run' && entry.rows, numeric: true },
  { name: 'Bad rows', of: (entry) => entry.kind === 'run' && entry.bad, numeric: true },
  { name: 'Pages', of: (entry) => entry.kind === 'run' && entry.pages, numeric: true },
  { name: 'Errors', of: (entry) => entry.kind === 'run' && entry.errors, numeric: true },
  {
    name: 'Detail',
    of: (entry) =>
      entry.kind === 'note'
        ? entry.detail
        : entry.error && `${entry.error.name}: ${entry.error.message}`,
  },
];

/** How the runs of a pipeline ended, its pauses and resets. */
export function PipelineHistory({ name }: { name: string }): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/sync/{pipeline}/history', {
    params: { path: { pipeline: name }, query: { cursor: get('cursor') } },
  });
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <DataTable
        caption="Runs, pauses and resets, newest first"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={(entry) => `${entry.at} ${entry.kind === 'run' ? entry.id : entry.what}`}
        empty="Nothing yet: scheduled runs that find nothing are not kept."
      />
      <Pager next={data?.next} />
    </section>
  );
}
