import { useId, type ReactElement, type ReactNode } from 'react';
import { useProblem } from './field.problems.js';

/** What a field needs to be named and described. */
interface Described {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string;
}

/** A field under its name; below it what is wrong with it, or else what it is for. */
export function Field({
  label,
  path,
  wrong,
  hint,
  children,
}: {
  label: string;
  /** Where it stands in the body, `data/to` say: what the API says of it is shown. */
  path?: string;
  /** What is wrong as it is typed. */
  wrong?: string;
  /** What it is for. */
  hint?: ReactNode;
  children: (described: Described) => ReactElement;
}): ReactElement {
  const id = useId();
  const refused = useProblem(path);
  const problem = wrong || refused;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-invalid': problem !== '',
        'aria-describedby': `${id}-hint`,
      })}
      <small id={`${id}-hint`} className={problem ? 'wrong' : undefined} aria-live="polite">
        {problem || hint}
      </small>
    </div>
  );
}
