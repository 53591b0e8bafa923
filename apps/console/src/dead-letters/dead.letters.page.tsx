import type { ReactElement } from 'react';
import { useActorNames } from '../api/actors.js';
import { useMe } from '../api/me.js';
import { FilterBar } from '../parts/filter.bar.js';
import { Page } from '../parts/page.js';
import { useUrlState } from '../parts/url.state.js';
import { BulkRedrive } from './bulk.redrive.js';
import { REASONS, useLetterFilter } from './letter.filter.js';
import { LetterGroups } from './letter.groups.js';
import { LetterList } from './letter.list.js';
import { LetterPage } from './letter.page.js';

/** What was given up, by what it died of and one by one; `id` in the address opens one. */
export function DeadLettersPage(): ReactElement {
  const { get } = useUrlState();
  const id = get('id');
  return id === undefined ? <AllLetters /> : <LetterPage key={id} id={id} />;
}

function AllLetters(): ReactElement {
  const { may } = useMe();
  const filter = useLetterFilter();
  return (
    <Page
      title="Dead letters"
      actions={may('dead-letters:redrive') && <BulkRedrive filter={filter} />}
    >
      <FilterBar
        filters={[
          { name: 'actor', label: 'Actor', options: useActorNames() },
          { name: 'type', label: 'Type', placeholder: 'email.send' },
          { name: 'reason', label: 'Reason', options: REASONS },
          { name: 'error', label: 'Error, name or code', placeholder: 'ECONNREFUSED' },
          { name: 'fingerprint', label: 'Fingerprint' },
          { name: 'before', label: 'Died before', placeholder: '2026-12-24T18:00:00Z' },
        ]}
      />
      <LetterGroups filter={filter} />
      <LetterList filter={filter} />
    </Page>
  );
}
