import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { FilterBar } from '../parts/filter.bar.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';
import { AuditChange } from './audit.change.js';
import { TargetLink } from './target.link.js';

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
    of: ({ action, target, call, path, after, asked, unreadable }) =>
      unreadable === undefined ? (
        <div>
          <strong>{action}</strong> <TargetLink target={target} path={path} />{' '}
          {nameIn(after ?? asked)}
          <div className="quiet small">
            {call.split(' ', 1)[0]} {path}
          </div>
        </div>
      ) : (
        <span className="quiet">{unreadable}</span>
      ),
  },
  { name: 'Answer', of: ({ status }) => status ?? 'not known' },
  { name: 'Why', of: ({ reason }) => reason },
  { name: 'Changed', of: (entry) => <AuditChange entry={entry} /> },
];

/** What can be done with the API, in the words of the log; the board has others. */
const ACTIONS = [
  ...['create', 'change', 'delete', 'pause', 'resume', 'trigger', 'backfill', 'redrive', 'discard'],
  ...['cancel', 'release', 'run', 'reset', 'rotate', 'revoke'],
];

/** Who changed what, when and why. */
export function AuditPage(): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/audit', {
    params: {
      query: {
        before: get('cursor'),
        action: get('action'),
        who: get('who'),
        target: get('target'),
      },
    },
  });
  const isNarrowed = (get('action') ?? get('who') ?? get('target')) !== undefined;
  return (
    <Page title="Audit">
      <FilterBar
        filters={[
          { name: 'action', label: 'Action', suggestions: ACTIONS },
          { name: 'who', label: 'Who' },
          { name: 'target', label: 'Target', placeholder: 'schedules/weekly' },
        ]}
      />
      <DataTable
        caption="Changes, newest first"
        columns={COLUMNS}
        rows={data?.items}
        error={error}
        id={({ id }) => id}
        empty={emptyText(isNarrowed, data?.next !== undefined)}
      />
      <Pager next={data?.next} />
    </Page>
  );
}

function emptyText(isNarrowed: boolean, isMore: boolean): string {
  if (isMore) return 'None among those that were looked at. The next page looks on.';
  return isNarrowed ? 'There are none.' : 'Nobody has changed anything yet.';
}

/** What people call it, when its id says little. */
function nameIn(view: Entry['after']): string | undefined {
  const name = view?.['name'];
  return typeof name === 'string' ? `(${name})` : undefined;
}
