import type { ReactElement } from 'react';
import { useTick } from './tick.js';
import { distance } from './time.js';

/** A moment: how far away, and on hovering when exactly, in the time of who looks. */
export function Moment({ at }: { at: string | undefined }): ReactElement | null {
  useTick();
  if (at === undefined) return null;
  return (
    <time dateTime={at} title={`${new Date(at).toLocaleString()} (${at})`}>
      {distance(at)}
    </time>
  );
}
