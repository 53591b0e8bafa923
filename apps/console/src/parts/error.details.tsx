import type { ReactElement } from 'react';
import type { Shown } from '../api/client.js';

type Failure = Shown['Message']['attempts'][number]['error'];

/** An error of a handler: what it says, and on demand its stack. */
export function ErrorDetails({ error, open }: { error: Failure; open?: boolean }): ReactElement {
  const { name, code, message, stack } = error;
  return (
    <div className="error">
      <strong>
        {name}
        {code && ` (${code})`}
      </strong>{' '}
      {message}
      {stack && (
        <details open={open}>
          <summary>Stack trace</summary>
          <pre tabIndex={0} aria-label={`Stack trace of ${name}`}>
            {stack}
          </pre>
        </details>
      )}
    </div>
  );
}
