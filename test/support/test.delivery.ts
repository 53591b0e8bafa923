import type { AttemptRecord, Delivery, Outcome } from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import { StoppingError } from '../../libs/messaging/src/messaging.errors.js';
import { Stop } from '../../libs/messaging/src/stop.js';

/** The first delivery of a `bank.pay`, sent at 1,000 and started at 2,000, but for what the test is about. */
export function testDelivery(
  fields: Partial<Delivery> = {},
  envelope: Partial<Envelope> = {},
): Delivery {
  return {
    envelope: {
      id: 'bank-1',
      type: 'bank.pay',
      version: 1,
      actor: 'bank',
      data: {},
      priority: 100,
      sentAt: 1_000,
      headers: {},
      ...envelope,
    },
    attempt: 1,
    isFirst: true,
    history: [],
    crashes: 0,
    noteTrial: async () => undefined,
    isCancelled: false,
    startedAt: 2_000,
    stop: new Stop(),
    ...fields,
  };
}

/** That of a process which is stopping. */
export function told(): Stop {
  const stop = new Stop();
  stop.abort(new StoppingError());
  return stop;
}

/** The error that an outcome carries. */
export function errorOf(outcome: Outcome): AttemptRecord['error'] {
  if (!('attempt' in outcome)) throw new Error(`${outcome.kind} carries no error`);
  return outcome.attempt.error;
}
