import { useState, type ReactElement } from 'react';
import { Link, useSearch } from 'wouter';
import { pathTo, query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { isMissing } from '../api/problem.js';
import { ActionButton } from '../parts/action.button.js';
import { Facts } from '../parts/facts.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonField } from '../parts/json.field.js';
import { jsonText, objectIn } from '../parts/json.text.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { SendForm } from '../parts/send.form.js';
import { textIn } from '../parts/text.in.js';
import { AttemptErrors } from './attempt.errors.js';
import { discard, redrive, refreshLetters } from './letter.calls.js';

type Letter = Shown['DeadLetter'];

/** One dead letter: what it died of, its data, and the ways out. */
export function LetterPage({ id }: { id: string }): ReactElement {
  const search = useSearch();
  const { may } = useMe();
  const [ended, setEnded] = useState<'redriven' | 'discarded'>();
  const { data, error } = api.useQuery(
    'get',
    '/v1/dead-letters/{id}',
    { params: { path: { id } } },
    { enabled: ended === undefined },
  );
  const end = async (how: 'redriven' | 'discarded', call: Promise<unknown>): Promise<void> => {
    await call;
    setEnded(how);
    void refreshLetters();
  };
  const fate = ended ?? (isMissing(error) ? 'gone' : undefined);
  // What has become of it stands in its place.
  const letter = fate ? undefined : data;
  const itsMessage = pathTo('messages', id);
  return (
    <Page
      title={`Dead letter ${id}`}
      actions={
        letter &&
        may('dead-letters:discard') && (
          <ActionButton
            name="Discard"
            reason="required"
            danger
            run={(_form, reason) => end('discarded', discard(id, reason))}
          />
        )
      }
    >
      <p>
        <Link href={`/dead-letters${query({ id: undefined }, search)}`}>All dead letters</Link>
        {' · '}
        <Link href={itsMessage}>Its message</Link>
      </p>
      {fate ? (
        <p role="status" className="notice">
          {fate === 'redriven' && (
            <>
              Redriven: it waits again, and <Link href={itsMessage}>its message</Link> shows what
              becomes of it.
            </>
          )}
          {fate === 'discarded' && 'Discarded: it is gone for good.'}
          {fate === 'gone' &&
            'This is no dead letter, or no longer: it may have been redriven or discarded. Its message may still be there.'}
        </p>
      ) : (
        <FailureNote error={error} />
      )}
      {letter && (
        <>
          <LetterFacts letter={letter} />
          <AttemptErrors attempts={letter.attempts} />
          <h2>Data</h2>
          {letter.unreadable && <p className="failure">{letter.unreadable}</p>}
          {may('dead-letters:redrive') && !letter.unreadable ? (
            <Mending
              letter={letter}
              send={(reason, mended) => end('redriven', redrive(id, reason, mended))}
            />
          ) : (
            <JsonView data={letter.data} name="Data" />
          )}
        </>
      )}
    </Page>
  );
}

function LetterFacts({ letter }: { letter: Letter }): ReactElement {
  const { type, key, reason, fingerprint, finishedAt, sentAt, redrives, tenant } = letter;
  return (
    <Facts
      facts={{
        Type: type,
        Key: key,
        Tenant: tenant,
        Reason: reason,
        'Sent, died': (
          <>
            <Moment at={sentAt} />, <Moment at={finishedAt} />
          </>
        ),
        'Redriven before': redrives === 0 ? 'never' : `${redrives} times`,
        Fingerprint: <Link href={`/dead-letters${query({ fingerprint })}`}>{fingerprint}</Link>,
      }}
    />
  );
}

/** Its data, to be mended, and the button that sends it on its way again. */
function Mending({
  letter,
  send,
}: {
  letter: Letter;
  /** @param data undefined: as it is */
  send: (reason: string, data: Record<string, unknown> | undefined) => Promise<void>;
}): ReactElement {
  const text = jsonText(letter.data);
  return (
    <SendForm
      verb="Redrive"
      send={(form, reason) => {
        const typed = textIn(form, 'data');
        return send(reason, typed === text ? undefined : (objectIn(typed, 'Data') ?? {}));
      }}
    >
      <JsonField
        name="data"
        label="Data, as it is redriven"
        path="data"
        initial={text}
        rows={Math.min(20, text.split('\n').length + 1)}
        hint="It is checked against its type. What stands as [secret] stays as it is."
      />
    </SendForm>
  );
}
