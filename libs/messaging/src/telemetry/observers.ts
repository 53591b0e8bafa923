import type { Observer } from '../observer.js';

/** Several observers as one; the first is the outermost. */
export function observersOf(...observers: readonly Observer[]): Observer {
  return {
    send: (envelopes, run, by) =>
      observers.reduceRight((next, each) => () => each.send(envelopes, next, by), run)(),
    turn: (delivery, run) =>
      observers.reduceRight((next, each) => () => each.turn(delivery, next), run)(),
  };
}
