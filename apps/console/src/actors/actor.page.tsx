import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, client, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { refresh } from '../api/queries.js';
import { newMessage } from '../messages/new.message.page.js';
import { PausedBy } from '../audit/paused.by.js';
import { Activity } from '../overview/activity.js';
import { ActionButton } from '../parts/action.button.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { FailureNote } from '../parts/failure.note.js';
import { Figure, Figures } from '../parts/figure.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { span } from '../parts/time.js';
import { Keys } from './keys.js';

type Actor = Shown['Actor'];

/** An actor: how much waits for it, how fast it is, its keys and its messages; to pause it. */
export function ActorPage({ actor }: { actor: string }): ReactElement {
  const { data, error } = api.useQuery('get', '/v1/actors/{actor}', {
    params: { path: { actor } },
  });
  return (
    <Page title={actor} actions={data && <Actions actor={data} />}>
      <FailureNote error={error} />
      {data && <Details actor={data} />}
    </Page>
  );
}

function Actions({ actor: { name, paused, messages } }: { actor: Actor }): ReactElement {
  const { may } = useMe();
  const params = { path: { actor: name } };
  return (
    <>
      {may('messages:send') && messages.length > 0 && (
        <Link href={newMessage(name)} className="button">
          Send a message
        </Link>
      )}
      {may('actors:operate') && !paused && (
        <ActionButton
          name="Pause"
          danger
          reason="required"
          run={async (_, reason) => {
            await client.POST('/v1/actors/{actor}/pause', { params, body: { reason } });
            await refresh('/v1/actors');
          }}
        >
          <p className="quiet">
            It takes no more messages, in all processes. What is sent to it is kept, what is in work
            goes on.
          </p>
        </ActionButton>
      )}
      {may('actors:operate') && paused && (
        <ActionButton
          name="Resume"
          run={async () => {
            await client.POST('/v1/actors/{actor}/resume', { params });
            await refresh('/v1/actors');
          }}
        />
      )}
      {may('board:read') && <a href={pathTo('board', 'queue', name)}>On the board</a>}
    </>
  );
}

function Details({ actor }: { actor: Actor }): ReactElement {
  const { name, counts, paused, throughput, messages, quarantined } = actor;
  const listed = (state: string): string => `/messages${query({ actor: name, state })}`;
  return (
    <>
      {paused && (
        <p className="warning">
          <strong>Paused</strong> <Moment at={paused.since} />
          <PausedBy target={`actors/${name}`} since={paused.since} />: {paused.reason}
        </p>
      )}
      <Figures name="Messages by state">
        <Figure name="Waiting or parked" href={`/messages${query({ actor: name })}`}>
          {counts.waiting}
        </Figure>
        <Figure name="Delayed" href={listed('delayed')}>
          {counts.delayed}
        </Figure>
        <Figure name="Active" href={listed('active')}>
          {counts.active}
        </Figure>
        <Figure name="Done, kept" href={listed('done')}>
          {counts.done}
        </Figure>
        <Figure
          name="Dead"
          href={`/dead-letters${query({ actor: name })}`}
          tone={counts.dead > 0 ? 'bad' : undefined}
        >
          {counts.dead}
        </Figure>
        <Figure name="Quarantined keys" tone={quarantined > 0 ? 'bad' : undefined}>
          {quarantined}
        </Figure>
        <Figure name="T per s">{+throughput.toFixed(1)}</Figure>
      </Figures>
      <Activity actor={name} />
      <Latencies actor={actor} />
      <Keys actor={name} />
      <section>
        <h2>Messages it handles</h2>
        {messages.length === 0 && <p className="quiet">None that clients may send.</p>}
        {messages.map(({ type, version, jsonSchema, replyJsonSchema }) => (
          <details key={type}>
            <summary>
              {type} <span className="quiet">version {version}</span>
            </summary>
            {jsonSchema ? (
              <JsonView data={jsonSchema} name={`JSON Schema of ${type}`} />
            ) : (
              <p className="quiet">Its schema library offers no JSON Schema.</p>
            )}
            {replyJsonSchema && (
              <>
                <p>Reply</p>
                <JsonView data={replyJsonSchema} name={`JSON Schema of the reply to ${type}`} />
              </>
            )}
          </details>
        ))}
      </section>
    </>
  );
}

interface Part {
  name: string;
  of: Shown['Percentiles'];
}

const COLUMNS: readonly Column<Part>[] = [
  { name: 'Time', of: ({ name }) => name },
  { name: 'p50', of: ({ of: { p50 } }) => span(p50), numeric: true },
  { name: 'p95', of: ({ of: { p95 } }) => span(p95), numeric: true },
  { name: 'p99', of: ({ of: { p99 } }) => span(p99), numeric: true },
];

function Latencies({ actor }: { actor: Actor }): ReactElement | null {
  const { latency, wait, run, sample } = actor;
  if (!latency || !wait || !run) return null;
  return (
    <section>
      <h2>
        Latency L <span className="quiet">of the last {sample} messages</span>
      </h2>
      <DataTable
        caption="Latency and its parts"
        columns={COLUMNS}
        rows={[
          { name: 'L, ready to handled', of: latency },
          { name: 'waiting for the start', of: wait },
          { name: 'in the handler', of: run },
        ]}
        id={({ name }) => name}
        empty=""
      />
    </section>
  );
}
