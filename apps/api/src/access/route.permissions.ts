import { CONSOLE_PATHS } from '../console/console.paths.js';
import type { Permission } from './permission.js';

/** What a call needs: a permission, or anybody with credentials, or nobody ('open'), or a signature that its handler checks. */
export type Need = Permission | 'anybody' | 'open' | 'signed';

/** Calls that keys of one tenant may make: their handlers look at the tenant. */
const OF_TENANTS: Readonly<Record<string, Need>> = {
  'GET /openapi.json': 'anybody',
  'GET /docs': 'anybody',
  'GET /docs/:file': 'anybody',
  'GET /v1/me': 'anybody',
  // The console is the same for all: what it shows it asks for.
  ...Object.fromEntries(CONSOLE_PATHS.map((path) => [`GET ${path}`, 'anybody' as const])),
  'GET /icon.svg': 'anybody',
  'GET /assets/*': 'anybody',
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
};

/** Every call but those of the board, as the server has its route. One that is missing here is for admins alone. */
const CALLS: Readonly<Record<string, Need>> = {
  ...OF_TENANTS,
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /login': 'open',
  'POST /login': 'open',
  'GET /login/oidc': 'open',
  'GET /login/oidc/callback': 'open',
  'POST /logout': 'open',
  'GET /metrics': 'metrics:read',
  'POST /v1/hooks/:source': 'signed',

  'GET /v1/actors': 'actors:read',
  'GET /v1/actors/:actor': 'actors:read',
  'GET /v1/actors/:actor/keys': 'actors:read',
  'GET /v1/actors/:actor/keys/:key': 'actors:inspect',
  'GET /v1/actors/:actor/keys/:key/journal': 'actors:inspect',
  'POST /v1/actors/:actor/keys/:key/release': 'actors:operate',
  'POST /v1/actors/:actor/pause': 'actors:operate',
  'POST /v1/actors/:actor/resume': 'actors:operate',

  'GET /v1/events': 'actors:read',
  'GET /v1/activity': 'actors:read',

  'GET /v1/routes': 'routes:read',
  'GET /v1/routes/:id': 'routes:read',
  'GET /v1/routes/:id/history': 'routes:read',
  'POST /v1/routes::test': 'routes:read',
  'PUT /v1/routes/:id': 'routes:write',
  'DELETE /v1/routes/:id': 'routes:write',
  'GET /v1/subscriptions': 'routes:read',
  'GET /v1/subscriptions/:actor': 'routes:read',
  'DELETE /v1/subscriptions/:actor': 'routes:write',

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

const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
const BOARD = /^\/board(\/|$)/;
/** What the board does that the API offers to operators too. */
const OPERATING = /\/(retry(\/:queueStatus)?|promote|pause|resume|release|run)$/;

/** What a call needs, undefined when nothing says; `url` is the route as the server has it. */
export function needOf(method: string, url: string): Need | undefined {
  if (!isBoard(url)) return CALLS[nameOf(method, url)];
  if (isSafe(method)) return 'board:read';
  return OPERATING.test(url) ? 'board:operate' : 'board:write';
}

/** Whether keys of one tenant may make a call. */
export function isForTenants(method: string, url: string): boolean {
  return Object.hasOwn(OF_TENANTS, nameOf(method, url));
}

/** Whether a permission opens any call to keys of one tenant. */
export function isOfUseToTenants(permission: Permission): boolean {
  return Object.values(OF_TENANTS).includes(permission);
}

/** Whether calls of this method change nothing. */
export function isSafe(method: string): boolean {
  return SAFE.includes(method);
}

/** Whoever asks for the headers alone asks for the same. */
function nameOf(method: string, url: string): string {
  return `${method === 'HEAD' ? 'GET' : method} ${url}`;
}

/** Whether a route is a page that people go to with a browser. */
export function isPage(url: string): boolean {
  return isBoard(url) || url === '/docs' || CONSOLE_PATHS.includes(url);
}

/** Whether a route is of the board. */
export function isBoard(url: string): boolean {
  return BOARD.test(url);
}
