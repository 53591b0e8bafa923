import type { ReactElement } from 'react';
import { Link, useSearch } from 'wouter';
import { query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import type { LetterFilter } from './letter.filter.js';
import { UnseenLetters } from './unseen.letters.js';

type Group = Shown['DeadLetterGroups']['items'][number];

/** Dead letters by what they died of. */
export function LetterGroups({ filter }: { filter: LetterFilter }): ReactElement {
  const search = useSearch();
  const { data, error } = api.useQuery('get', '/v1/dead-letters:groups', {
    params: { query: filter },
  });
  const columns: readonly Column<Group>[] = [
    { name: 'Letters', of: ({ count }) => count, numeric: true },
    {
      name: 'Died of',
      of: ({ fingerprint, error: last, reason }) => (
        <Link href={`/dead-letters${query({ fingerprint, cursor: undefined }, search)}`}>
          {last ? `${last.name}: ${last.message}` : (reason ?? fingerprint)}
        </Link>
      ),
    },
    { name: 'Reason', of: ({ reason }) => <span className="word">{reason}</span> },
    { name: 'Actor', of: ({ actor }) => <span className="word">{actor}</span> },
    { name: 'Type', of: ({ type }) => type },
    { name: 'First', of: ({ first }) => <Moment at={first} /> },
    { name: 'Last', of: ({ last }) => <Moment at={last} /> },
  ];
  return (
    <section aria-labelledby="groups">
      <h2 id="groups">By what they died of</h2>
      <DataTable
        caption="Groups of dead letters, the most frequent first"
        columns={columns}
        rows={data?.items}
        error={error}
        id={({ fingerprint }) => fingerprint}
        empty={
          data?.complete === false ? 'None matches of those looked at.' : 'No dead letter matches.'
        }
      />
      {data && <UnseenLetters groups={data} />}
    </section>
  );
}
