import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import { useActors } from '../api/actors.js';
import type { Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';

type Actor = Shown['Actor'];

const COLUMNS: readonly Column<Actor>[] = [
  {
    name: 'Actor',
    of: ({ name, paused, quarantined }) => (
      <>
        <Link href={pathTo('actors', name)}>{name}</Link> {paused && <StateBadge state="paused" />}{' '}
        {quarantined > 0 && <StateBadge state="quarantined" />}
      </>
    ),
  },
  { name: 'Waiting', of: ({ counts }) => amount(counts.waiting), numeric: true },
  { name: 'Delayed', of: ({ counts }) => amount(counts.delayed), numeric: true },
  { name: 'Active', of: ({ counts }) => amount(counts.active), numeric: true },
  { name: 'Dead', of: ({ counts }) => amount(counts.dead), numeric: true },
  { name: 'T per s', of: ({ throughput }) => amount(+throughput.toFixed(1)), numeric: true },
  { name: 'L p50', of: ({ latency }) => latency && span(latency.p50), numeric: true },
  { name: 'L p99', of: ({ latency }) => latency && span(latency.p99), numeric: true },
];

/** All actors: what waits for them, and how fast they are. */
export function ActorsPage(): ReactElement {
  const { actors, error } = useActors();
  return (
    <Page title="Actors">
      <DataTable
        caption="Actors with their messages by state, throughput and latency"
        columns={COLUMNS}
        rows={actors}
        error={error}
        id={({ name }) => name}
        empty="No actors are known: start a worker."
      />
      <p className="quiet">
        T = messages handled per second in the last minute. L = time from when a message could be
        handled until it was.
      </p>
    </Page>
  );
}

/** Zeros stand back, so that the others are seen. */
function amount(value: number): ReactElement {
  return value === 0 ? <span className="quiet">0</span> : <>{value.toLocaleString('en')}</>;
}
