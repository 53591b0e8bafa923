import { copyId, type Envelope } from '../envelope.js';

/** The actor that keeps events which nobody received. */
export const UNROUTED = 'unrouted';

/** What is kept of an event that nobody receives. */
export function unroutedCopy(event: Envelope): Envelope[] {
  return [{ ...event, id: copyId(event.id, UNROUTED), actor: UNROUTED }];
}

/** The event that such a copy was made of. */
export function unroutedEvent(copy: Envelope): Envelope {
  return { ...copy, id: copy.id.slice(0, -`@${UNROUTED}`.length) };
}
