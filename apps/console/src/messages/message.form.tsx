import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { onceKeys } from '../api/once.keys.js';
import { Choices } from '../parts/choices.js';
import { DataField } from '../parts/data.field.js';
import { FailureNote } from '../parts/failure.note.js';
import { Field } from '../parts/field.js';
import { jsonText, objectIn } from '../parts/json.text.js';
import { dataIn, fieldsOf } from '../parts/schema.fields.js';
import { SchemaInput, writtenIn } from '../parts/schema.input.js';
import { SendForm } from '../parts/send.form.js';
import { textIn } from '../parts/text.in.js';
import { TypeField } from '../parts/type.field.js';
import { useUrlState } from '../parts/url.state.js';

type Type = Shown['Actor']['messages'][number];
/** What is sent. Which types there are is known when the page runs, not when it is built. */
export type Sending = Pick<Shown['Telling'], 'data' | 'priority' | 'delay'> & { type: string };

const ORDER = 'messages of one key are handled one by one, in order';
const LANES = ['critical', 'high', 'low'] as const;

/** What is to be sent, and how. Whatever is no data of the message stands in the address. */
export function MessageForm({
  types,
  initialType,
  send,
}: {
  /** Those there are to choose from; without any the type is written by hand. */
  types: readonly Type[];
  initialType: string;
  send: (sending: Sending) => Promise<void>;
}): ReactElement {
  const { get, replace } = useUrlState();
  const form = useRef<HTMLFormElement>(null);
  /** As it was when the way to write it was changed last. */
  const [written, setWritten] = useState<Record<string, unknown>>();
  /** Why it cannot be written in another way, when no field says that. */
  const [unwritable, setUnwritable] = useState<unknown>();
  useEffect(() => onceKeys.forget(), []);
  const type = get('type') ?? initialType;
  const known = types.find((each) => each.type === type);
  const fields = fieldsOf(known?.jsonSchema, written);
  const isJson = get('as') === 'json' || fields.length === 0;

  const read = (filled: FormData): Record<string, unknown> =>
    isJson ? (objectIn(textIn(filled, 'data'), 'Data') ?? {}) : dataIn(fields, writtenIn(filled));
  const choose = (other: string): void => {
    setWritten(undefined);
    replace({ type: other });
  };
  const toggle = (): void => {
    if (!form.current) return;
    try {
      setWritten(read(new FormData(form.current)));
      replace({ as: isJson ? undefined : 'json' });
      setUnwritable(undefined);
    } catch (error) {
      // The field at fault says what is wrong, if the browser knows of it.
      if (form.current.reportValidity()) setUnwritable(error);
    }
  };
  return (
    <SendForm
      ref={form}
      verb="Send"
      reason={false}
      onInput={() => setUnwritable(undefined)}
      send={(filled) => {
        const [priority, delay] = [textIn(filled, 'priority'), textIn(filled, 'delay')];
        return send({
          type,
          data: read(filled),
          ...(priority && { priority }),
          // Milliseconds are a number, all other durations text.
          ...(delay && { delay: /^\d+$/.test(delay) ? Number(delay) : delay }),
        });
      }}
    >
      {types.length > 0 ? (
        <Field label="Type" path="type">
          {(described) => (
            <select
              {...described}
              name="type"
              required
              value={type}
              onChange={({ currentTarget }) => choose(currentTarget.value)}
            >
              <option value="">choose one</option>
              <Choices options={types.map((each) => each.type)} value={type} />
            </select>
          )}
        </Field>
      ) : (
        <TypeField label="Type" initial={type} onType={choose} />
      )}
      {isJson ? (
        <DataField
          key={known ? `json ${type}` : 'json'}
          type={type}
          label="Data"
          path="data"
          initial={written && jsonText(written)}
          hint={known?.key && keyNote(known.key)}
        />
      ) : (
        fields.map((field) => (
          <SchemaInput
            key={`${type} ${field.name} ${field.writing}`}
            field={field}
            note={field.name === known?.key ? `the key: ${ORDER}` : undefined}
          />
        ))
      )}
      {fields.length > 0 && (
        <>
          <FailureNote error={unwritable} />
          <div className="actions">
            <button type="button" onClick={toggle}>
              {isJson ? 'Write data in fields' : 'Write data as JSON'}
            </button>
          </div>
        </>
      )}
      <div className="pair">
        <Field label="Priority" path="priority">
          {(described) => (
            <select
              {...described}
              name="priority"
              defaultValue={get('priority') ?? ''}
              onChange={({ currentTarget }) => replace({ priority: currentTarget.value })}
            >
              <option value="">normal (default)</option>
              <Choices options={LANES} value={get('priority')} />
            </select>
          )}
        </Field>
        <Field label="Delay (optional)" path="delay" hint="Such as 30s, 10m, 2h or 1d.">
          {(described) => (
            <input
              {...described}
              name="delay"
              defaultValue={get('delay')}
              autoComplete="off"
              onBlur={({ currentTarget }) => {
                if (currentTarget.value !== (get('delay') ?? '')) {
                  replace({ delay: currentTarget.value });
                }
              }}
            />
          )}
        </Field>
      </div>
    </SendForm>
  );
}

function keyNote(field: string): string {
  return `${field} is the key: ${ORDER}`;
}
