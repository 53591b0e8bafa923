import { useState, type ReactElement, type ReactNode } from 'react';
import { Field } from './field.js';
import { jsonIn } from './json.text.js';

/** JSON to be edited; what is wrong with it is said while it is typed. */
export function JsonField({
  name,
  label,
  path,
  initial = '',
  rows = 6,
  required = false,
  hint,
}: {
  /** Of the value in the form. */
  name: string;
  label: string;
  /** Where it stands in the body: what the API says of it is shown. */
  path?: string;
  initial?: string;
  rows?: number;
  required?: boolean;
  /** What it is for. */
  hint?: ReactNode;
}): ReactElement {
  const [wrong, setWrong] = useState('');
  return (
    <Field label={label} path={path} wrong={wrong} hint={hint}>
      {(described) => (
        <textarea
          {...described}
          name={name}
          className="code"
          rows={rows}
          defaultValue={initial}
          required={required}
          spellCheck={false}
          autoComplete="off"
          onInput={({ currentTarget }) => {
            const problem = problemOf(currentTarget.value);
            currentTarget.setCustomValidity(problem);
            setWrong(problem);
          }}
        />
      )}
    </Field>
  );
}

function problemOf(text: string): string {
  try {
    jsonIn(text, 'no JSON');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
