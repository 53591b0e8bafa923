import { useState, type ReactElement } from 'react';
import { client, type Shown } from '../api/client.js';
import { DataField } from '../parts/data.field.js';
import { DataTable } from '../parts/data.table.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonField } from '../parts/json.field.js';
import { objectIn } from '../parts/json.text.js';
import { textIn } from '../parts/text.in.js';
import { TypeField } from '../parts/type.field.js';
import { receiverText } from './route.text.js';

type Tested = Shown['RouteTested'];

/** Says where an event would be led, without sending it. */
export function RouteTrial({
  draft,
}: {
  /** A route as if it were stored. @throws Error when there is none that could be */
  draft?: () => Shown['RouteTesting']['route'];
}): ReactElement {
  const [type, setType] = useState('');
  const [tested, setTested] = useState<Tested>();
  const [error, setError] = useState<unknown>();

  const test = async (form: FormData): Promise<void> => {
    setError(undefined);
    setTested(undefined);
    try {
      const headers = objectIn(textIn(form, 'headers'), 'Headers');
      const topic = textIn(form, 'topic');
      const body = {
        type: textIn(form, 'type'),
        data: objectIn(textIn(form, 'data'), 'Data') ?? {},
        ...(headers && { headers }),
        ...(topic && { topic }),
        ...(draft && { route: draft() }),
      };
      // Which types there are is known when the page runs, not when it is built.
      const { data } = await client.POST('/v1/routes:test', {
        body: body as unknown as Shown['RouteTesting'],
      });
      setTested(data);
    } catch (failure) {
      setError(failure);
    }
  };

  return (
    <section aria-labelledby="trial">
      <h2 id="trial">Where would an event go?</h2>
      <div className="beside">
        <form
          className="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void test(new FormData(event.currentTarget));
          }}
        >
          <div className="pair">
            <TypeField label="Type" onType={setType} />
            <label>
              Topic (optional)
              <input name="topic" placeholder="as the type" autoComplete="off" />
            </label>
          </div>
          <DataField type={type} label="Data" />
          <JsonField
            name="headers"
            label="Headers (optional)"
            rows={2}
            hint='Such as {"region": "eu"}'
          />
          <div className="actions">
            <button className="main">{draft ? 'Test with this route' : 'Test'}</button>
          </div>
        </form>
        <div aria-live="polite">
          <FailureNote error={error} />
          {tested && <Result tested={tested} />}
        </div>
      </div>
    </section>
  );
}

function Result({ tested: { receivers, by, failed, problems } }: { tested: Tested }): ReactElement {
  return (
    <div className="card">
      {receivers.length === 0 ? (
        <p>Nobody would get it.</p>
      ) : (
        <p>
          It would go to <strong>{receivers.map(({ actor }) => actor).join(', ')}</strong>.
        </p>
      )}
      {by.length > 0 && (
        <DataTable
          caption="What leads it there, in the order looked at"
          columns={[
            { name: 'Led by', of: (each) => each.by },
            { name: 'To', of: (each) => receiverText(each.receiver) },
          ]}
          rows={by}
          id={(each) => `${each.by} ${receiverText(each.receiver)}`}
          empty=""
        />
      )}
      {[...failed, ...problems].map(({ owner, error }) => (
        <p key={`${owner} ${error}`} className="warning">
          {owner}: {error}
        </p>
      ))}
    </div>
  );
}
