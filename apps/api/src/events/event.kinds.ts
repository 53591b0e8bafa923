import type { Permission } from '../access/permission.js';

/** What one can follow, and what one must be permitted to read for it. */
export const EVENT_KINDS = {
  activity: 'actors:read',
  'dead-letter': 'dead-letters:read',
  key: 'actors:read',
  actor: 'actors:read',
  schedule: 'schedules:read',
  pipeline: 'sync:read',
  audit: 'audit:read',
} as const satisfies Record<string, Permission>;
export type EventKind = keyof typeof EVENT_KINDS;

/** All of them, in the order listed. */
export const ALL_KINDS = Object.keys(EVENT_KINDS) as [EventKind, ...EventKind[]];
