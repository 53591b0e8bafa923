import type { ReactElement } from 'react';
import { Field } from './field.js';
import { JsonField } from './json.field.js';
import type { SchemaField } from './schema.fields.js';

/** Names of fields of data in a form begin so. */
const DATA = 'data.';

/** What somebody wrote into the fields of data, by the name of the value. */
export function writtenIn(form: FormData): (name: string) => string {
  return (name) => (form.get(DATA + name) as string | null) ?? '';
}

/** The field of one value of data. */
export function SchemaInput({ field, note }: { field: SchemaField; note?: string }): ReactElement {
  const { name, writing, required, mustBeFilled, choices, initial, fallback } = field;
  const label = required ? name : `${name} (optional)`;
  const path = `data/${name}`;
  const hint = [field.description, note].filter(Boolean).join('; ');
  const common = { name: DATA + name, required: mustBeFilled };
  if (writing === 'json') {
    const lines = initial.split('\n').length + 1;
    return (
      <JsonField
        {...common}
        label={label}
        path={path}
        initial={initial}
        rows={Math.min(12, lines)}
        hint={hint ? `JSON; ${hint}` : 'JSON'}
      />
    );
  }
  return (
    <Field label={label} path={path} hint={hint}>
      {(described) => {
        const props = { ...described, ...common, defaultValue: initial };
        if (writing === 'choice') {
          return (
            <select {...props}>
              {!required && <option value="">{fallback ? `default: ${fallback}` : 'none'}</option>}
              {choices.map((choice) => (
                <option key={String(choice)}>{String(choice)}</option>
              ))}
            </select>
          );
        }
        if (writing === 'text') return <textarea {...props} rows={3} />;
        return (
          <input
            {...props}
            {...(writing === 'number' && { type: 'number', step: 'any' })}
            placeholder={fallback && `default: ${fallback}`}
            autoComplete="off"
          />
        );
      }}
    </Field>
  );
}
