import { copyId, type Envelope } from '../envelope.js';
import { UNROUTED } from './own.actors.js';

/** What is kept of an event that nobody receives. */
export function unroutedCopy(event: Envelope): Envelope {
  return { ...event, id: copyId(event.id, UNROUTED), actor: UNROUTED };
}

/** The event that such a copy was made of, as if it were published at `now`: what its times were is over. */
export function unroutedEvent(copy: Envelope, now: number): Envelope {
  const { dueAt: _, deadline: __, ...event } = copy;
  return { ...event, id: copy.id.slice(0, -`@${UNROUTED}`.length), sentAt: now };
}
