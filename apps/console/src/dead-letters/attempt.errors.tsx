import type { ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { ErrorDetails } from '../parts/error.details.js';
import { Moment } from '../parts/moment.js';

type Attempt = Shown['Message']['attempts'][number];

/** What each attempt failed of: the last one's stack, those before folded. */
export function AttemptErrors({
  attempts,
}: {
  /** Oldest first. */
  attempts: readonly Attempt[];
}): ReactElement | null {
  const last = attempts.at(-1);
  if (!last) return null;
  const before = attempts.slice(0, -1).reverse();
  return (
    <section aria-labelledby="error">
      <h2 id="error">
        Error of the last attempt <span className="quiet">({last.attempt})</span>
      </h2>
      <ErrorDetails error={last.error} open />
      {before.length > 0 && (
        <details>
          <summary>
            {before.length === 1 ? 'One attempt' : `${before.length} attempts`} before
          </summary>
          {before.map((attempt) => (
            <div key={`${attempt.attempt} ${attempt.startedAt}`}>
              <p className="quiet">
                Attempt {attempt.attempt}, <Moment at={attempt.finishedAt} />
              </p>
              <ErrorDetails error={attempt.error} open />
            </div>
          ))}
        </details>
      )}
    </section>
  );
}
