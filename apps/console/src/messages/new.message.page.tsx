import { useEffect, useRef, useState, type ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo, query } from '../address.js';
import { useActors } from '../api/actors.js';
import { client, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { useMessageTypes } from '../api/message.types.js';
import { refresh } from '../api/queries.js';
import { Page } from '../parts/page.js';
import { useUrlState } from '../parts/url.state.js';
import { MessageForm, type Sending } from './message.form.js';

type Receipt = Shown['Receipt'];

/** The address of the form; a message may have any id, `new` too. @param actor whose messages there are to choose from; undefined: all */
export function newMessage(actor?: string, type?: string): string {
  return `/messages${query({ new: 'yes', actor, type })}`;
}

/** Sends a message. */
export function NewMessagePage(): ReactElement {
  const { may } = useMe();
  const { isLoading } = useActors();
  const { get } = useUrlState();
  const [sent, setSent] = useState<Receipt>();
  const actor = get('actor');
  const types = useMessageTypes(actor);
  return (
    <Page title="Send a message">
      {!may('messages:send') && (
        <p>You may not send messages: it needs the permission messages:send.</p>
      )}
      {may('messages:send') && isLoading && <p className="quiet">Loading…</p>}
      {may('messages:send') && !isLoading && sent && (
        <Sent receipt={sent} again={() => setSent(undefined)} />
      )}
      {may('messages:send') && !isLoading && !sent && (
        <MessageForm
          types={types}
          initialType={(actor !== undefined && types[0]?.type) || ''}
          send={async (sending) => setSent(await send(sending))}
        />
      )}
    </Page>
  );
}

/** The client gives the call a key of its own: without an answer it is the same call when it is made again. */
async function send(sending: Sending): Promise<Receipt> {
  const { data } = await client.POST('/v1/messages', { body: sending as Shown['Telling'] });
  void refresh('/v1/messages', '/v1/actors', '/v1/activity');
  return data!;
}

/** Takes the place of the form: pressing its button twice sends once. */
function Sent({ receipt, again }: { receipt: Receipt; again: () => void }): ReactElement {
  const { id, state } = receipt;
  const note = useRef<HTMLParagraphElement>(null);
  useEffect(() => note.current?.focus(), []);
  return (
    <>
      <p role="status" tabIndex={-1} ref={note} className="notice">
        Sent: <Link href={pathTo('messages', id)}>{id}</Link>{' '}
        {state === 'delayed' ? 'waits until it is due.' : 'waits for its turn.'}
      </p>
      <div className="actions">
        <button type="button" onClick={again}>
          Send another
        </button>
      </div>
    </>
  );
}
