import type { ReactElement } from 'react';
import { textOf } from '../api/problem.js';

/** Says what went wrong, nothing when nothing did. */
export function FailureNote({ error }: { error: unknown }): ReactElement | null {
  if (error === null || error === undefined) return null;
  return (
    <p role="alert" className="failure">
      {textOf(error)}
    </p>
  );
}
