import type { Shown } from '../api/client.js';

/** Whether nothing becomes of a message any more, unless it is redriven. */
export function hasEnded({ state }: Pick<Shown['Message'], 'state'>): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled';
}
