import { useSyncExternalStore } from 'react';

/** How often texts that tell how long ago something was are made anew, milliseconds. */
const TICK = 10_000;

const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    for (const each of listeners) each();
  }, TICK);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** Has a component shown again every ten seconds, by one clock for all of them. */
export function useTick(): void {
  useSyncExternalStore(subscribe, () => Math.floor(Date.now() / TICK));
}
