import { client, reasonHeader } from '../api/client.js';
import { refresh } from '../api/queries.js';

/** Sends a dead letter on its way again. @param data instead of its own */
export function redrive(id: string, reason: string, data?: Record<string, unknown>) {
  return client.POST('/v1/dead-letters/{id}/redrive', {
    params: { path: { id } },
    body: data && { data },
    headers: reasonHeader(reason),
  });
}

/** Takes a dead letter away for good. */
export function discard(id: string, reason: string) {
  return client.DELETE('/v1/dead-letters/{id}', {
    params: { path: { id } },
    headers: reasonHeader(reason),
  });
}

/** Asks again for what is shown of letters, of which some are no more. */
export function refreshLetters(): Promise<void> {
  return refresh('/v1/dead-letters', '/v1/messages', '/v1/actors');
}
