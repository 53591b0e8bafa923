import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import { useActorNames } from '../api/actors.js';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { FilterBar } from '../parts/filter.bar.js';
import { Jump } from '../parts/jump.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { useUrlState } from '../parts/url.state.js';
import { MessageTable } from './message.table.js';
import { newMessage, NewMessagePage } from './new.message.page.js';

type State = Shown['Message']['state'];

const STATES: readonly State[] = [
  'active',
  'waiting',
  'parked',
  'delayed',
  'dead',
  'done',
  'cancelled',
];

/** Messages by actor, state, key and type, and by a value in their data; and one by its id. `new` in the address sends one. */
export function MessagesPage(): ReactElement {
  const { get } = useUrlState();
  return get('new') === undefined ? <AllMessages /> : <NewMessagePage />;
}

function AllMessages(): ReactElement {
  const { me, may } = useMe();
  const { get } = useUrlState();
  const known = useActorNames();
  const isEnough = me?.tenant !== undefined || (get('actor') ?? get('q')) !== undefined;
  return (
    <Page
      title="Messages"
      actions={
        may('messages:send') && (
          <Link href={newMessage(get('actor'))} className="button">
            Send a message
          </Link>
        )
      }
    >
      <Jump label="By id" to={(id) => pathTo('messages', id)} />
      <FilterBar
        filters={[
          { name: 'actor', label: 'Actor', options: known },
          { name: 'state', label: 'State', options: STATES },
          { name: 'key', label: 'Key' },
          { name: 'type', label: 'Type', placeholder: 'email.send' },
          { name: 'q', label: 'Value', placeholder: 'data.to:ada@example.org' },
        ]}
      />
      {isEnough ? (
        <Messages />
      ) : (
        <p className="quiet">
          Choose an actor, or say a value to look for: <code>data.</code>, a field, a colon, and the
          value.
        </p>
      )}
    </Page>
  );
}

function Messages(): ReactElement {
  const { get } = useUrlState();
  const query = {
    actor: get('actor'),
    q: get('q'),
    state: get('state') as State | undefined,
    key: get('key'),
    type: get('type'),
    cursor: get('cursor'),
    limit: 50,
  };
  const { data, error } = api.useQuery('get', '/v1/messages', { params: { query } });
  return (
    <>
      <MessageTable
        messages={data?.items}
        error={error}
        empty={
          data?.next
            ? 'None among those that were looked at. The next page looks on.'
            : 'There are none.'
        }
      />
      <Pager next={data?.next} />
    </>
  );
}
