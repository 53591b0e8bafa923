import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import type { Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';

type Actor = Shown['Actor'];

/** As many as are seen at a glance. */
const MOST = 10;

/** What waits, by actor, the most first. */
export function Backlog({ actors }: { actors: readonly Actor[] | undefined }): ReactElement {
  const behind = actors
    ?.filter(({ counts }) => counts.waiting > 0)
    .sort((a, b) => b.counts.waiting - a.counts.waiting);
  const most = behind?.[0]?.counts.waiting ?? 1;
  const columns: readonly Column<Actor>[] = [
    { name: 'Actor', of: ({ name }) => <Link href={pathTo('actors', name)}>{name}</Link> },
    {
      name: 'Waiting or parked',
      of: ({ name, counts: { waiting } }) => (
        <Link
          href={`/messages${query({ actor: name })}`}
          aria-label={`${waiting} waiting or parked for ${name}`}
        >
          {waiting.toLocaleString('en')}
        </Link>
      ),
      numeric: true,
    },
    {
      name: 'Share',
      of: ({ counts: { waiting } }) => (
        <svg className="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect width={(waiting / most) * 100} height="8" rx="1" />
        </svg>
      ),
    },
    { name: 'Active', of: ({ counts }) => counts.active, numeric: true },
    { name: 'T per s', of: ({ throughput }) => +throughput.toFixed(1), numeric: true },
    { name: 'Empty in', of: timeLeft, numeric: true },
  ];
  return (
    <section>
      <h2>Backlog</h2>
      <DataTable
        caption="Messages that wait, by actor"
        columns={columns}
        rows={behind?.slice(0, MOST)}
        id={({ name }) => name}
        empty="Nothing waits."
      />
      {behind && behind.length > MOST && <Link href="/actors">All {behind.length}</Link>}
    </section>
  );
}

/** When all that waits is handled, if nothing is sent and it goes on as fast as in the last minute. */
function timeLeft({ counts, throughput }: Actor): string | false {
  if (counts.waiting === 0 || throughput === 0) return false;
  const seconds = counts.waiting / throughput;
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
