import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, client, reasonHeader, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { isMissing } from '../api/problem.js';
import { refresh } from '../api/queries.js';
import { MessageTable } from '../messages/message.table.js';
import { ActionButton } from '../parts/action.button.js';
import { ErrorDetails } from '../parts/error.details.js';
import { Facts } from '../parts/facts.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { Journal } from './journal.js';

interface Named {
  actor: string;
  name: string;
}

/** One key of an actor: why it stands still, what waits for it, what it holds and has noted. */
export function KeyPage({ actor, name }: Named): ReactElement {
  const { may } = useMe();
  const { data, error } = api.useQuery(
    'get',
    '/v1/actors/{actor}/keys/{key}',
    { params: { path: { actor, key: name } } },
    { enabled: may('actors:inspect') },
  );
  const isGone = isMissing(error);
  // What was there before is not shown any more.
  const shown: Shown['Key'] | undefined = isGone ? { key: name, depth: 0 } : data;
  return (
    <Page title={name} actions={shown?.quarantine && <Release actor={actor} name={name} />}>
      <p className="lead">
        Key of <Link href={pathTo('actors', actor)}>{actor}</Link>
      </p>
      {!may('actors:inspect') && (
        <p className="quiet">What a key holds is shown to operators: you may not look into it.</p>
      )}
      {isGone ? (
        <p className="quiet">It holds nothing, and nothing waits for it.</p>
      ) : (
        <FailureNote error={error} />
      )}
      {shown && <Details actor={actor} of={shown} />}
    </Page>
  );
}

function Release({ actor, name }: Named): ReactElement | null {
  const { may } = useMe();
  if (!may('actors:operate')) return null;
  const params = { path: { actor, key: name } };
  return (
    <ActionButton
      name="Release"
      reason="optional"
      run={async (_, reason) => {
        const headers = reasonHeader(reason);
        await client.POST('/v1/actors/{actor}/keys/{key}/release', { params, headers });
        await refresh('/v1/actors', '/v1/messages');
      }}
    >
      <p className="quiet">
        It goes on with the message that stopped it. If that fails again, it stops again.
      </p>
    </ActionButton>
  );
}

function Details({ actor, of: shown }: { actor: string; of: Shown['Key'] }): ReactElement {
  const { may } = useMe();
  const { key, depth, since, state, quarantine } = shown;
  return (
    <>
      {quarantine && (
        <div className="failure">
          <p>
            <StateBadge state="quarantined" /> <Moment at={quarantine.since} />, by attempt{' '}
            {quarantine.attempt} at{' '}
            {may('board:read') ? (
              <a href={pathTo('board', 'queue', actor, quarantine.job)}>{quarantine.job}</a>
            ) : (
              quarantine.job
            )}
            : nothing of this key is handled until it is released.
          </p>
          <ErrorDetails error={quarantine.error} open />
        </div>
      )}
      <Facts
        facts={{
          'In its mailbox': depth,
          'First could start': since && <Moment at={since} />,
          'State committed': state && `${state.revision} times, version ${state.version}`,
        }}
      />
      <Messages actor={actor} name={key} />
      <section>
        <h2>State</h2>
        {!state && <p className="quiet">No turn has left one.</p>}
        {state?.unreadable && <p className="quiet">As it is stored: {state.unreadable}</p>}
        {state && <JsonView data={state.data} name="State" />}
      </section>
      <Journal actor={actor} name={key} />
    </>
  );
}

function Messages({ actor, name }: Named): ReactElement {
  const { data, error } = api.useQuery('get', '/v1/messages', {
    params: { query: { actor, key: name, limit: 10 } },
  });
  return (
    <section>
      <h2>Messages</h2>
      <MessageTable messages={data?.items} error={error} empty="None is kept." ofKey />
      <Link href={`/messages${query({ actor, key: name })}`}>All messages of this key</Link>
    </section>
  );
}
