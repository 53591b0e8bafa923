import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, client, reasonHeader, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { isMissing } from '../api/problem.js';
import { POLL, refresh } from '../api/queries.js';
import { redrive } from '../dead-letters/letter.calls.js';
import { ActionButton } from '../parts/action.button.js';
import { Facts } from '../parts/facts.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';
import { Causes } from './causes.js';
import { Effects } from './effects.js';
import { hasEnded } from './ended.js';
import { Timeline } from './timeline.view.js';

type Message = Shown['Message'];

/** How often a message that has not ended is looked at, milliseconds. */
const SOON = 2_000;
/** What the API shows instead of a secret. */
const SECRET = '[secret]';

/** A message: what happened to it, what it carries, what led to it. */
export function MessagePage({ id }: { id: string }): ReactElement {
  const { data: known, error } = api.useQuery(
    'get',
    '/v1/messages/{id}',
    { params: { path: { id } } },
    {
      refetchInterval: ({ state }) => (state.data && hasEnded(state.data) ? POLL : SOON),
    },
  );
  // It may have been kept long enough.
  const data = isMissing(error) ? undefined : known;
  return (
    <Page title={data?.type ?? 'Message'} actions={data && <Actions message={data} />}>
      <FailureNote error={error} />
      {data ? <Details message={data} /> : !error && <p className="quiet">Loading…</p>}
    </Page>
  );
}

function Actions({ message: { id, state, actor, job } }: { message: Message }): ReactElement {
  const { may } = useMe();
  const changed = (): Promise<void> =>
    refresh('/v1/messages', '/v1/dead-letters', '/v1/actors', '/v1/activity');
  const queue = state === 'dead' ? `${actor}.dead` : actor;
  return (
    <>
      {!hasEnded({ state }) && may('messages:cancel') && (
        <ActionButton
          name="Cancel message"
          danger
          reason="required"
          run={async (_, reason) => {
            const headers = reasonHeader(reason);
            await client.DELETE('/v1/messages/{id}', { params: { path: { id } }, headers });
            await changed();
          }}
        >
          <p className="quiet">
            It will not start. If it is in work, its handler is told to stop, and may or may not.
          </p>
        </ActionButton>
      )}
      {state === 'dead' && may('dead-letters:redrive') && (
        <>
          <ActionButton
            name="Redrive"
            reason="optional"
            run={async (_, reason) => {
              await redrive(id, reason);
              await changed();
            }}
          >
            <p className="quiet">It goes back into its queue, with all its attempts again.</p>
          </ActionButton>
          <Link href={`/dead-letters${query({ id })}`}>Edit and redrive</Link>
        </>
      )}
      {may('board:read') && <a href={`/board${pathTo('queue', queue, job)}`}>On the board</a>}
    </>
  );
}

function Details({ message }: { message: Message }): ReactElement {
  const { id, state, actor, key, headers, data, reply, unreadable } = message;
  return (
    <>
      <p className="lead">
        <StateBadge state={state} /> <code>{id}</code>
      </p>
      {message.error !== undefined && (
        <p className="failure">
          {message.reason && <strong>{message.reason}: </strong>}
          {message.error}
        </p>
      )}
      <div className="columns">
        <section>
          <h2>Timeline</h2>
          <Timeline message={message} />
        </section>
        <section>
          <h2>Facts</h2>
          <Facts
            facts={{
              Actor: <Link href={pathTo('actors', actor)}>{actor}</Link>,
              Key: key !== undefined && (
                <Link href={pathTo('actors', actor, 'keys', key)}>{key}</Link>
              ),
              Topic: message.topic,
              Priority: message.priority,
              Version: message.version,
              Deadline: message.deadline && <Moment at={message.deadline} />,
              'Next attempt': message.nextAttemptAt && <Moment at={message.nextAttemptAt} />,
              'Attempts left': message.attemptsLeft,
              'Waited for its start': message.waitMs !== undefined && span(message.waitMs),
              'Latency L': message.latencyMs !== undefined && span(message.latencyMs),
              Redrives: message.redrives > 0 && message.redrives,
              Tenant: message.tenant,
              Trace: message.traceId && <code>{message.traceId}</code>,
            }}
          />
          <Causes message={message} />
          <Effects message={message} />
        </section>
      </div>
      <section>
        <h2>Data</h2>
        {unreadable && <p className="quiet">As it is stored: {unreadable}</p>}
        {hasSecrets(data) && <p className="quiet">Secrets are not shown.</p>}
        <JsonView data={data} name="Data" />
      </section>
      {Object.keys(headers).length > 0 && (
        <section>
          <h2>Headers</h2>
          <Facts facts={headers} />
        </section>
      )}
      {reply !== undefined && (
        <section>
          <h2>Reply</h2>
          <JsonView data={reply} name="Reply" />
        </section>
      )}
    </>
  );
}

function hasSecrets(data: Message['data']): boolean {
  return JSON.stringify(data).includes(JSON.stringify(SECRET));
}
