import { Inject } from '@nestjs/common';
import { Actor, declareHandler } from '../actor.decorators.js';
import type { Envelope } from '../envelope.js';
import { UnroutedError } from '../messaging.errors.js';
import { currentScope } from '../turn.scope.js';
import type { Turn } from '../turn.js';
import { UNROUTED } from './own.actors.js';
import { Router } from './router.js';
import { unroutedEvent } from './unrouted.js';

/**
 * Keeps events that were published with `unrouted: 'keep'` and reached nobody, as dead letters of the actor `unrouted`. One
 * that is redriven is published again. Add it to the providers of an application with workers.
 */
@Actor({ name: UNROUTED, on: [[UnroutedError, 'reject']] })
export class UnroutedActor {
  constructor(@Inject(Router) private readonly router: Router) {}

  /** @param copy what was kept of the event */
  async republish(copy: Envelope, { now }: Turn): Promise<void> {
    const event = unroutedEvent(copy, now.getTime());
    const copies = await this.router.copies(event);
    if (copies.length === 0) throw new UnroutedError(event.topic ?? event.type);
    await currentScope()?.join(copies);
  }
}
// No event is subscribed to: what comes was sent here.
declareHandler(UnroutedActor.prototype, {
  kind: 'on',
  handles: { pattern: '**', open: ({ envelope }) => envelope },
  filter: 'none',
  method: 'republish',
});
