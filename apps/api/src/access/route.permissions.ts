import type { Permission } from './permission.js';

/** What a call needs: a permission, or anybody with credentials, or nobody ('open'), or a signature that its handler checks. */
export type Need = Permission | 'anybody' | 'open' | 'signed';

/** Every call but those of the board, as the server has its route. One that is missing here is for admins alone. */
const CALLS: Readonly<Record<string, Need>> = {
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /login': 'open',
  'POST /login': 'open',
  'POST /logout': 'open',
  'GET /openapi.json': 'anybody',
  'GET /docs': 'anybody',
  'GET /docs/:file': 'anybody',
  'GET /metrics': 'metrics:read',
  'GET /v1/me': 'anybody',
  'POST /v1/hooks/:source': 'signed',

  'POST /v1/messages': 'messages:send',
  'POST /v1/messages::batch': 'messages:send',
  'POST /v1/messages::ask': 'messages:send',
  'GET /v1/messages': 'messages:read',
  'GET /v1/messages/:id': 'messages:read',
  'DELETE /v1/messages/:id': 'messages:cancel',
  'POST /v1/topics/:topic': 'messages:send',
  'POST /v1/topics/:topic(^[^:]+)::ask': 'messages:send',

  'GET /v1/dead-letters': 'dead-letters:read',
  'GET /v1/dead-letters::groups': 'dead-letters:read',
  'GET /v1/dead-letters/:id': 'dead-letters:read',
  'POST /v1/dead-letters/:id/redrive': 'dead-letters:redrive',
  'POST /v1/dead-letters::redrive': 'dead-letters:redrive',
  'DELETE /v1/dead-letters/:id': 'dead-letters:discard',

  'GET /v1/actors': 'actors:read',
  'GET /v1/actors/:actor': 'actors:read',
  'GET /v1/actors/:actor/keys': 'actors:read',
  'GET /v1/actors/:actor/keys/:key': 'actors:inspect',
  'GET /v1/actors/:actor/keys/:key/journal': 'actors:inspect',
  'POST /v1/actors/:actor/keys/:key/release': 'actors:operate',
  'POST /v1/actors/:actor/pause': 'actors:operate',
  'POST /v1/actors/:actor/resume': 'actors:operate',

  'GET /v1/routes': 'routes:read',
  'GET /v1/routes/:id': 'routes:read',
  'GET /v1/routes/:id/history': 'routes:read',
  'POST /v1/routes::test': 'routes:read',
  'PUT /v1/routes/:id': 'routes:write',
  'DELETE /v1/routes/:id': 'routes:write',

  'GET /v1/schedules': 'schedules:read',
  'GET /v1/schedules/:id': 'schedules:read',
  'GET /v1/schedules/:id/runs': 'schedules:read',
  'GET /v1/schedules/:id/next': 'schedules:read',
  'POST /v1/schedules::preview': 'schedules:read',
  'POST /v1/schedules/:id/pause': 'schedules:operate',
  'POST /v1/schedules/:id/resume': 'schedules:operate',
  'POST /v1/schedules/:id/trigger': 'schedules:operate',
  'POST /v1/schedules/:id/backfill': 'schedules:operate',
  'POST /v1/schedules': 'schedules:write',
  'PUT /v1/schedules/:id': 'schedules:write',
  'DELETE /v1/schedules/:id': 'schedules:write',

  'GET /v1/rooms/:room': 'rooms:read',
  'GET /v1/rooms/:room/events': 'rooms:read',
  'GET /v1/rooms/:room/socket': 'rooms:post',
  'POST /v1/rooms/:room/messages': 'rooms:post',

  'GET /v1/sync': 'sync:read',
  'GET /v1/sync/:pipeline': 'sync:read',
  'GET /v1/sync/:pipeline/history': 'sync:read',
  'POST /v1/sync/:pipeline/run': 'sync:operate',
  'POST /v1/sync/:pipeline/backfill': 'sync:operate',
  'POST /v1/sync/:pipeline/pause': 'sync:operate',
  'POST /v1/sync/:pipeline/resume': 'sync:operate',
  'POST /v1/sync/:pipeline/reset': 'sync:reset',

  'GET /v1/api-keys': 'api-keys:read',
  'GET /v1/api-keys/:id': 'api-keys:read',
  'POST /v1/api-keys': 'api-keys:write',
  'POST /v1/api-keys/:id/rotate': 'api-keys:write',
  'DELETE /v1/api-keys/:id': 'api-keys:write',
  'GET /v1/audit': 'audit:read',
};

/** Calls that keys of one tenant may make: those whose handlers look at the tenant. */
const OF_TENANTS: ReadonlySet<string> = new Set([
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/:file',
  'GET /v1/me',
  'POST /v1/messages',
  'POST /v1/messages::batch',
  'POST /v1/messages::ask',
  'GET /v1/messages/:id',
  'DELETE /v1/messages/:id',
  'POST /v1/topics/:topic',
  'POST /v1/topics/:topic(^[^:]+)::ask',
  'GET /v1/dead-letters',
  'GET /v1/dead-letters::groups',
  'GET /v1/dead-letters/:id',
  'POST /v1/dead-letters/:id/redrive',
  'POST /v1/dead-letters::redrive',
  'DELETE /v1/dead-letters/:id',
]);

const BOARD = /^\/board(\/|$)/;
/** What the board does that the API offers to operators too. */
const OPERATING = /\/(retry(\/:queueStatus)?|promote|pause|resume|release|run)$/;

/** What a call needs, undefined when nothing says; `url` is the route as the server has it. */
export function needOf(method: string, url: string): Need | undefined {
  const verb = method === 'HEAD' ? 'GET' : method;
  if (!isBoard(url)) return CALLS[`${verb} ${url}`];
  if (verb === 'GET') return 'board:read';
  return OPERATING.test(url) ? 'board:operate' : 'board:write';
}

/** Whether keys of one tenant may make a call. */
export function isForTenants(method: string, url: string): boolean {
  return OF_TENANTS.has(`${method === 'HEAD' ? 'GET' : method} ${url}`);
}

/** Whether a route is a page that people go to with a browser. */
export function isPage(url: string): boolean {
  return isBoard(url) || url === '/docs';
}

/** Whether a route is of the board. */
export function isBoard(url: string): boolean {
  return BOARD.test(url);
}
