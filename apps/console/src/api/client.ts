import createFetchClient from 'openapi-fetch';
import createHooks from 'openapi-react-query';
import { query } from '../address.js';
import { live } from '../live.js';
import { onceKeys } from './once.keys.js';
import type { components, paths } from './openapi.js';
import { ApiProblem, problemOf } from './problem.js';

/** What the API shows, by its name in the OpenAPI document: `Shown['Message']`. */
export type Shown = components['schemas'];

const KEY = 'idempotency-key';

/** Calls of the API; a problem is thrown as {@link ApiProblem}. */
export const client = createFetchClient<paths>({ baseUrl: location.origin });

client.use({
  async onRequest({ request }) {
    const { method, url } = request;
    if (method === 'GET') return;
    const body = await request.clone().text();
    request.headers.set(KEY, onceKeys.of(`${method} ${url} ${body}`));
  },
  async onResponse({ request, response }) {
    live.heard(true);
    // What answers with 5xx may be something in between, and the call be done.
    if (response.status < 500) onceKeys.answered(request.headers.get(KEY) ?? '');
    if (response.ok) return;
    if (response.status === 401) logIn();
    throw await problemOf(response);
  },
  onError({ error }) {
    // Nobody waits for it any more: the page has changed.
    if (error instanceof DOMException && error.name === 'AbortError') return;
    live.heard(false);
    return new ApiProblem(0, 'unreachable', 'the API does not answer: is it running?');
  },
});

/** Hooks of the same calls: `api.useQuery('get', '/v1/actors')`. */
export const api = createHooks(client);

/** The session is over: back to here after the log-in. */
function logIn(): void {
  location.assign(`/login${query({ next: location.pathname + location.search })}`);
}

/** The header that says why something is changed. Headers carry bytes: text goes as UTF-8. */
export function reasonHeader(reason: string | undefined): { 'X-Reason'?: string } {
  if (!reason) return {};
  return { 'X-Reason': String.fromCharCode(...new TextEncoder().encode(reason)) };
}
