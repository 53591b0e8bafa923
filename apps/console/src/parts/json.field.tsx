import { useId, useState, type ReactElement, type ReactNode } from 'react';
import { jsonIn } from './json.text.js';

/** JSON to be edited; what is wrong with it is said while it is typed. */
export function JsonField({
  name,
  label,
  initial = '',
  rows = 6,
  required = false,
  hint,
}: {
  /** Of the value in the form. */
  name: string;
  label: string;
  initial?: string;
  rows?: number;
  required?: boolean;
  /** What it is for. */
  hint?: ReactNode;
}): ReactElement {
  const id = useId();
  const [wrong, setWrong] = useState('');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        name={name}
        className="code"
        rows={rows}
        defaultValue={initial}
        required={required}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={wrong !== ''}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => {
          const problem = problemOf(currentTarget.value);
          currentTarget.setCustomValidity(problem);
          setWrong(problem);
        }}
      />
      <small id={`${id}-hint`} className={wrong ? 'wrong' : undefined} aria-live="polite">
        {wrong || hint}
      </small>
    </div>
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
