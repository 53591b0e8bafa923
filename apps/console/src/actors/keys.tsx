import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Jump } from '../parts/jump.js';
import { Moment } from '../parts/moment.js';
import { StateBadge } from '../parts/state.badge.js';
import { useUrlState } from '../parts/url.state.js';

type Key = Shown['KeyList']['items'][number];

/** As many as the API gives. */
const MOST = 100;

const ORDERS = { age: 'Longest waiting', depth: 'Fullest' } as const;

/** Keys of an actor in whose mailboxes messages stand, by age or depth as the address says. */
export function Keys({ actor }: { actor: string }): ReactElement {
  const { may } = useMe();
  const { get, set } = useUrlState();
  const by = get('by') === 'depth' ? 'depth' : 'age';
  const { data, error } = api.useQuery('get', '/v1/actors/{actor}/keys', {
    params: { path: { actor }, query: { by, limit: MOST } },
  });
  const only = get('keys') === 'quarantined';
  const items = data?.items.filter(({ quarantined }) => quarantined || !only);
  const columns: readonly Column<Key>[] = [
    {
      name: 'Key',
      of: ({ key, quarantined }) => (
        <>
          <Link href={pathTo('actors', actor, 'keys', key)}>{key}</Link>{' '}
          {quarantined && <StateBadge state="quarantined" />}
        </>
      ),
    },
    {
      name: 'Depth',
      of: ({ key, depth }) => (
        <Link href={`/messages${query({ actor, key })}`} aria-label={`${depth} messages of ${key}`}>
          {depth}
        </Link>
      ),
      numeric: true,
    },
    { name: 'First could start', of: ({ since }) => <Moment at={since} /> },
  ];
  return (
    <section>
      <h2>Keys with messages</h2>
      <div className="filters">
        {Object.entries(ORDERS).map(([order, name]) => (
          <button
            key={order}
            type="button"
            aria-pressed={by === order}
            onClick={() => set({ by: order === 'age' ? undefined : order })}
          >
            {name} first
          </button>
        ))}
        <button
          type="button"
          aria-pressed={only}
          onClick={() => set({ keys: only ? undefined : 'quarantined' })}
        >
          Quarantined only
        </button>
        {may('actors:inspect') && (
          <Jump label="Key" to={(key) => pathTo('actors', actor, 'keys', key)} />
        )}
      </div>
      <DataTable
        caption={`Keys of ${actor} with messages`}
        columns={columns}
        rows={items}
        error={error}
        id={({ key }) => key}
        empty={only ? 'None of them is quarantined.' : 'No message waits for a key.'}
      />
      {data?.items.length === MOST && <p className="quiet">The first {MOST}; there may be more.</p>}
    </section>
  );
}
