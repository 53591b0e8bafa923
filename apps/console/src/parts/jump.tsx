import { useId, type ReactElement } from 'react';
import { useLocation } from 'wouter';
import { textIn } from './text.in.js';

/** Goes to one thing by its name. */
export function Jump({
  label,
  to,
}: {
  label: string;
  /** The address of the thing of this name. */
  to: (name: string) => string;
}): ReactElement {
  const [, navigate] = useLocation();
  const id = useId();
  return (
    <form
      role="search"
      aria-label={label}
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        const name = textIn(new FormData(event.currentTarget), 'name');
        if (name) navigate(to(name));
      }}
    >
      <label htmlFor={id}>
        {label}
        <input id={id} name="name" type="search" maxLength={200} required autoComplete="off" />
      </label>
      <button>Open</button>
    </form>
  );
}
