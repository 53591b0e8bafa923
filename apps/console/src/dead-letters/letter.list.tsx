import { useState, type ReactElement } from 'react';
import { Link, useSearch } from 'wouter';
import { query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { ActionButton } from '../parts/action.button.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { each } from '../parts/each.js';
import { Moment } from '../parts/moment.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';
import { discard, redrive, refreshLetters } from './letter.calls.js';
import type { LetterFilter } from './letter.filter.js';

type Letter = Shown['DeadLetter'];

/** Dead letters one by one, newest first; several can be selected. */
export function LetterList({ filter }: { filter: LetterFilter }): ReactElement {
  const search = useSearch();
  const { get } = useUrlState();
  const { may } = useMe();
  const cursor = get('cursor');
  const { data, error } = api.useQuery('get', '/v1/dead-letters', {
    params: { query: { ...filter, cursor } },
  });
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const shown = (data?.items ?? []).map(({ id }) => id);
  // What is shown no more is not meant any more.
  const selected = shown.filter((id) => marked.has(id));
  const mark = (id: string, on: boolean): void => {
    const after = new Set(selected);
    if (on) after.add(id);
    else after.delete(id);
    setMarked(after);
  };

  const selection: Column<Letter> = {
    name: 'Select',
    of: ({ id }) => (
      <input
        type="checkbox"
        aria-label={`Select ${id}`}
        checked={selected.includes(id)}
        onChange={({ currentTarget }) => mark(id, currentTarget.checked)}
      />
    ),
  };
  const columns: readonly Column<Letter>[] = [
    ...(may('dead-letters:redrive') ? [selection] : []),
    {
      name: 'Letter',
      of: ({ id }) => (
        <Link className="id" href={`/dead-letters${query({ id }, search)}`}>
          {id}
        </Link>
      ),
    },
    { name: 'Type', of: ({ type }) => <span className="word">{type}</span> },
    { name: 'Key', of: ({ key }) => key },
    { name: 'Reason', of: ({ reason }) => <span className="word">{reason}</span> },
    {
      name: 'Error',
      of: ({ error: last }) => last && <span className="lines">{last}</span>,
    },
    { name: 'Died', of: ({ finishedAt }) => <Moment at={finishedAt} /> },
  ];
  return (
    <section aria-labelledby="letters">
      <h2 id="letters">Letters</h2>
      {shown.length > 0 && may('dead-letters:redrive') && (
        <div className="actions">
          <button
            type="button"
            onClick={() => setMarked(new Set(selected.length === shown.length ? [] : shown))}
          >
            {selected.length === shown.length ? 'Select none' : 'Select all shown'}
          </button>
          {selected.length > 0 && <SelectedActions ids={selected} />}
        </div>
      )}
      <DataTable
        caption="Dead letters, newest first"
        columns={columns}
        rows={data?.items}
        error={error}
        id={({ id }) => id}
        empty="No dead letter matches."
      />
      <Pager next={data?.next} />
    </section>
  );
}

function SelectedActions({ ids }: { ids: readonly string[] }): ReactElement {
  const { may } = useMe();
  const all = (call: (id: string) => Promise<unknown>) =>
    each(ids, call).finally(() => void refreshLetters());
  return (
    <>
      <ActionButton
        name={`Redrive ${ids.length} selected`}
        reason="optional"
        run={(_form, reason) => all((id) => redrive(id, reason))}
      />
      {may('dead-letters:discard') && (
        <ActionButton
          name={`Discard ${ids.length} selected`}
          reason="required"
          danger
          run={(_form, reason) => all((id) => discard(id, reason))}
        />
      )}
    </>
  );
}
