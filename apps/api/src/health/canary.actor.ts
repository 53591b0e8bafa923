import { Actor, Handle, Message } from '@callsheet/messaging';
import { z } from 'zod';

/** The actor whose turns show that messages are handled. */
export const CANARY = 'canary';

/** Asks for a turn that does nothing. */
export class Sing extends Message(`${CANARY}.sing`, z.object({}), { reply: z.object({}) }) {}

/** Has the turn that readiness asks for: sent, stored, taken, committed and answered as any other. Runs where the API does. */
@Actor({ name: CANARY })
export class CanaryActor {
  @Handle(Sing)
  sing(): Record<string, never> {
    return {};
  }
}
