import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { LineChart } from '../parts/line.chart.js';
import { Moment } from '../parts/moment.js';
import { Pager } from '../parts/pager.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';
import { useUrlState } from '../parts/url.state.js';
import { endedRuns, historyOf, type HistoryLine } from './run.history.js';

/** Lines of the history on a page: a run has two, for its start and its end. */
const SHOWN = 50;

const COLUMNS: readonly Column<HistoryLine>[] = [
  {
    name: 'What',
    of: ({ outcome, why }) => (
      <div>
        <StateBadge state={outcome} />
        {why && <span className="quiet small"> {why}</span>}
      </div>
    ),
  },
  { name: 'When', of: ({ at }) => <Moment at={at} /> },
  {
    name: 'Was due',
    of: ({ nominal }) =>
      nominal && <time dateTime={nominal}>{new Date(nominal).toLocaleString()}</time>,
  },
  { name: 'Drift', of: ({ drift }) => drift !== undefined && span(drift), numeric: true },
  { name: 'Attempts', of: ({ attempts }) => attempts, numeric: true },
  {
    name: 'Run',
    of: ({ run }) =>
      run && (
        <Link className="id" href={pathTo('messages', run)}>
          {run}
        </Link>
      ),
  },
  {
    name: 'Detail',
    of: ({ detail, outcome, run }) =>
      detail && (
        <div>
          <span className="lines">{detail}</span>
          {outcome === 'failed' && run !== undefined && (
            <Link href={`/dead-letters${query({ id: run })}`}>Stack trace, redrive</Link>
          )}
        </div>
      ),
  },
];

/** What has become of the runs of a schedule. */
export function ScheduleRuns({ id }: { id: string }): ReactElement {
  const { get } = useUrlState();
  const { data, error } = api.useQuery('get', '/v1/schedules/{id}/runs', {
    params: { path: { id }, query: { limit: SHOWN, cursor: get('cursor') } },
  });
  const ended = endedRuns(data?.items ?? [], SHOWN);
  const drifts = ended.flatMap(({ drift }) => drift ?? []);
  return (
    <section aria-labelledby="runs">
      <h2 id="runs">Runs</h2>
      {drifts.length > 1 && <LineChart name="Drift" values={drifts} text={span} />}
      <DataTable
        caption="Runs and what else happened, newest first"
        columns={COLUMNS}
        rows={data && historyOf(data.items)}
        error={error}
        id={({ at, outcome, run, nominal }) => `${at} ${outcome} ${run ?? nominal}`}
        empty="It has not run yet."
      />
      <Pager next={data?.next} />
    </section>
  );
}
