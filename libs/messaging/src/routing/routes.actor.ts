import { Inject } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { Actor, Handle } from '../actor.decorators.js';
import type { JsonObject } from '../json.js';
import { defaulting } from '../standard.schema.js';
import type { Turn } from '../turn.js';
import { ROUTES } from './own.actors.js';
import { Router } from './router.js';
import {
  PutRoute,
  RemoveRoute,
  type RouteChange,
  type RoutePut,
  type RouteRemoval,
} from './routes.messages.js';
import type { Route } from './route.js';

/** What is kept of a route; one that was removed keeps its revision and its journal. */
export interface RouteState {
  route?: Route;
  revision: number;
  changedAt?: string;
}

const state = defaulting<RouteState>({ revision: 0 });
type RouteTurn = Turn<typeof state>;

/**
 * Keeps stored routes, each a key, with the journal of its changes. A change is in effect in every process before its turn
 * commits; a turn that is repeated makes the same change, and one that was overtaken none. Add it to the providers of an
 * application with workers.
 */
@Actor({ name: ROUTES, state, journal: { keep: 1_000 } })
export class RoutesActor {
  constructor(@Inject(Router) private readonly router: Router) {}

  @Handle(PutRoute)
  async put({ id, route, ...change }: PutRoute, turn: RouteTurn): Promise<RoutePut> {
    const { route: before, revision } = turn.state;
    if (isConflict(change, turn.state)) return { outcome: 'conflict', revision };
    const isSame = isDeepStrictEqual(before, route);
    if (!isSame) this.changed(turn, route, change);
    const { revision: now, changedAt = '' } = turn.state;
    // Also when nothing changes: an earlier turn may have ended half-way.
    await this.router.bind(`route:${id}`, { revision: now, route: route as unknown as JsonObject });
    const outcome = isSame ? 'unchanged' : before ? 'changed' : 'created';
    return { outcome, record: { id, route, revision: now, changedAt } };
  }

  @Handle(RemoveRoute)
  async remove({ id, ...change }: RemoveRoute, turn: RouteTurn): Promise<RouteRemoval> {
    const { route, revision } = turn.state;
    if (isConflict(change, turn.state)) return { outcome: 'conflict', revision };
    if (route) this.changed(turn, undefined, change);
    // A higher revision without route: whoever comes late must not bring it back.
    await this.router.bind(`route:${id}`, { revision: turn.state.revision });
    return { outcome: route ? 'removed' : 'unknown' };
  }

  private changed(turn: RouteTurn, route: Route | undefined, { by, reason }: RouteChange): void {
    const before = turn.state.route;
    const changedAt = turn.now.toISOString();
    const revision = turn.state.revision + 1;
    turn.state = { ...(route && { route }), revision, changedAt };
    turn.journal({
      at: changedAt,
      change: route ? (before ? 'changed' : 'created') : 'removed',
      revision,
      ...(by !== undefined && { by }),
      ...(reason !== undefined && { reason }),
      ...(route && { route: route as unknown as JsonObject }),
    });
  }
}

function isConflict({ ifRevision }: RouteChange, { route, revision }: RouteState): boolean {
  return ifRevision !== undefined && ifRevision !== (route ? revision : 0);
}
