import type { ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { ErrorDetails } from '../parts/error.details.js';
import { Moment } from '../parts/moment.js';
import { timelineOf } from './timeline.js';

/** What happened to a message, oldest first; the stack of the last failure is open. */
export function Timeline({ message }: { message: Shown['Message'] }): ReactElement {
  const steps = timelineOf(message);
  const lastError = steps.findLastIndex(({ error }) => error);
  return (
    <ol className="timeline">
      {steps.map(({ at, what, lasted, tone, error }, index) => (
        // Steps are only ever added at the end.
        <li key={index} className={tone}>
          <strong>{what}</strong> {at && <Moment at={at} />}{' '}
          {lasted && <span className="quiet">{lasted}</span>}
          {error && (
            <ErrorDetails error={error} open={index === lastError && message.state !== 'done'} />
          )}
        </li>
      ))}
    </ol>
  );
}
