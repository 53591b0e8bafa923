import type { ReactElement } from 'react';

/** Data as it is, to be read and copied. */
export function JsonView({ data, name }: { data: unknown; name: string }): ReactElement {
  return (
    <pre tabIndex={0} aria-label={name}>
      {JSON.stringify(data, null, 2)}
    </pre>
  );
}
