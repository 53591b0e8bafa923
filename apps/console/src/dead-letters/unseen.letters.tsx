import type { ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { Moment } from '../parts/moment.js';

/** Says which dead letters are in no group, because there was no time to look at them. */
export function UnseenLetters({
  groups: { complete, since },
}: {
  groups: Shown['DeadLetterGroups'];
}): ReactElement | null {
  if (complete) return null;
  return (
    <p className="quiet">
      There are more dead letters than can be looked at in time: those that died before{' '}
      <Moment at={since} /> are not counted.
    </p>
  );
}
