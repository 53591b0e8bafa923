import type { MessageState } from './engine.js';

/** Whether nothing becomes of a message in this state any more, unless it is redriven. */
export function hasEnded(state: MessageState): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled';
}
