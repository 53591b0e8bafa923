import type { ReactElement } from 'react';
import { useTick } from '../parts/tick.js';
import { distance } from '../parts/time.js';

/** The next occurrences of a schedule, in its own time, and how far away each is. */
export function Occurrences({
  of: occurrences,
  empty,
}: {
  of: readonly { at: string; local: string }[];
  /** What is said when there are none. */
  empty: string;
}): ReactElement {
  useTick();
  if (occurrences.length === 0) return <p className="quiet">{empty}</p>;
  return (
    <ol className="times">
      {occurrences.map(({ at, local }) => (
        <li key={at}>
          <time dateTime={at}>{local}</time> <span className="quiet">{distance(at)}</span>
        </li>
      ))}
    </ol>
  );
}
