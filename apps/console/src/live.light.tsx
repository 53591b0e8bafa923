import type { ReactElement } from 'react';
import { useLiveness, type Liveness } from './live.js';

const MEANING: Readonly<Record<Liveness, string>> = {
  live: 'changes are shown as they happen',
  polling: 'changes are asked for every few seconds',
  offline: 'the API does not answer; what is shown may be old',
};

/** Says whether what is shown follows what happens. Readers of screens hear of it when that changes. */
export function LiveLight(): ReactElement {
  const liveness = useLiveness();
  return (
    <span role="status" className={`light ${liveness}`} title={MEANING[liveness]}>
      {liveness}
    </span>
  );
}
