import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import type { Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { StateBadge } from '../parts/state.badge.js';
import { RunStrip } from './run.strip.js';

type Schedule = Shown['Schedule'];

/** The address of a schedule's page. */
export function pageOf(id: string): string {
  return pathTo('schedules', 'of', id);
}

const COLUMNS: readonly Column<Schedule>[] = [
  {
    name: 'Schedule',
    of: ({ id, description, tags = [] }) => (
      <div>
        <Link href={pageOf(id)}>{id}</Link>
        {tags.map((tag) => (
          <Link key={tag} className="tag" href={`/schedules${query({ tag })}`}>
            {tag}
          </Link>
        ))}
        {description && <div className="quiet small">{description}</div>}
      </div>
    ),
  },
  { name: 'Runs', of: ({ text }) => text },
  {
    name: 'State',
    of: ({ state, pause, problem }) => (
      <div>
        <StateBadge state={state} />
        {(problem ?? pause?.reason) && (
          <div className="quiet small">{problem ?? pause?.reason}</div>
        )}
      </div>
    ),
  },
  { name: 'Next', of: ({ next }) => <Moment at={next} /> },
  {
    name: 'Last run',
    of: ({ last, failures }) =>
      last && (
        <div>
          <StateBadge state={last.outcome} /> <Moment at={last.finishedAt} />
          {failures > 1 && <span className="quiet small"> {failures} in a row</span>}
          {last.error && <div className="quiet small lines">{last.error.message}</div>}
        </div>
      ),
  },
  { name: 'Last 20 runs', of: ({ id }) => <RunStrip id={id} /> },
];

/** Schedules with what comes next and what became of the last runs. */
export function ScheduleTable({
  schedules,
  error,
}: {
  schedules: readonly Schedule[] | undefined;
  error: unknown;
}): ReactElement {
  return (
    <DataTable
      caption="Schedules by id"
      columns={COLUMNS}
      rows={schedules}
      error={error}
      id={({ id }) => id}
      empty="No schedule is here: a worker declares them, or somebody makes one."
    />
  );
}
