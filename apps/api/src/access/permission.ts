/** Roles, each of which may what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What can be permitted, and the least role that may do it. */
const PERMISSIONS = {
  'messages:read': 'viewer',
  'messages:send': 'operator',
  'messages:cancel': 'operator',
  'dead-letters:read': 'viewer',
  'dead-letters:redrive': 'operator',
  'dead-letters:discard': 'admin',
  'actors:read': 'viewer',
  'actors:inspect': 'operator',
  'actors:operate': 'operator',
  'routes:read': 'viewer',
  'routes:write': 'admin',
  'schedules:read': 'viewer',
  'schedules:operate': 'operator',
  'schedules:write': 'admin',
  'rooms:read': 'viewer',
  'rooms:post': 'operator',
  'sync:read': 'viewer',
  'sync:operate': 'operator',
  'sync:reset': 'admin',
  'board:read': 'viewer',
  'board:operate': 'operator',
  'board:write': 'admin',
  'metrics:read': 'viewer',
  'api-keys:read': 'admin',
  'api-keys:write': 'admin',
  'audit:read': 'admin',
} as const satisfies Record<string, Role>;
export type Permission = keyof typeof PERMISSIONS;

/** All of them, in the order listed. */
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as [Permission, ...Permission[]];

/** Whether a role may do it. */
export function permits(role: Role, permission: Permission): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(PERMISSIONS[permission]);
}
