import type { Delivery, Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';

/** Is told what is counted, as it is counted. Must not throw. */
export interface Onlooker {
  /** A message was sent, or will be with the end of a turn that ended well. */
  sent(envelope: Envelope): void;
  /** @param latency L = t - t0, ms */
  handled(delivery: Delivery, latency: number): void;
  /** The store refused the effects of one that was handled. */
  refused(delivery: Delivery): void;
  /** An attempt failed. */
  failed(delivery: Delivery, outcome: Extract<Outcome, { attempt: object }>): void;
}
