import { Message } from '../message.js';
import { trusting } from '../standard.schema.js';
import type { Route } from './route.js';

/** Who changes a route, and why: for the audit. */
export interface RouteChange {
  /** 1 to 200 characters. Default: nobody is named. */
  by?: string;
  /** 1 to 200 characters. Default: none. */
  reason?: string;
  /**
   * Only if this is the route's revision; 0: only if there is none of this id. Default: whatever it is.
   */
  ifRevision?: number;
}

/** A stored route as it is now. */
export interface RouteRecord {
  id: string;
  route: Route;
  /** 1 for a new one; counted up by every change, a removal too. */
  revision: number;
  /** When it was changed last, ISO 8601. */
  changedAt: string;
}

/** What became of a change. */
export type RoutePut =
  | { outcome: 'created' | 'changed' | 'unchanged'; record: RouteRecord }
  | { outcome: 'conflict'; revision: number };

export type RouteRemoval =
  { outcome: 'removed' | 'unknown' } | { outcome: 'conflict'; revision: number };

/** Sent by {@link Routes} alone, which checks the route. */
export class PutRoute extends Message(
  'routes.put',
  trusting<{ id: string; route: Route } & RouteChange>(),
  { key: 'id', reply: trusting<RoutePut>() },
) {}

export class RemoveRoute extends Message(
  'routes.remove',
  trusting<{ id: string } & RouteChange>(),
  { key: 'id', reply: trusting<RouteRemoval>() },
) {}
