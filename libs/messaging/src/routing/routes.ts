import { Inject, Injectable } from '@nestjs/common';
import { Actors } from '../actors.js';
import { Keys } from '../keys.js';
import { ACTOR_NAME, type MessageInstance } from '../message.js';
import { OptionError } from '../messaging.errors.js';
import { checkedText, seal, PUBLISH, type PublishOptions } from '../sealing.js';
import { CLOCK, type Clock } from '../clock.js';
import { ownerOf } from './actor.binding.js';
import { ROUTES } from './own.actors.js';
import { Router, toRouted, type Receiving, type Subscriber } from './router.js';
import { Subscriptions } from './subscriptions.js';
import { RoutesActor, type RouteState } from './routes.actor.js';
import {
  PutRoute,
  RemoveRoute,
  type RouteChange,
  type RoutePut,
  type RouteRecord,
  type RouteRemoval,
} from './routes.messages.js';
import { checkedRoute, type Route } from './route.js';

/** A change in the history of a route. */
export interface RouteAudit {
  /** Its place in the history: a cursor for `before`. */
  cursor: string;
  /** ISO 8601. */
  at: string;
  change: 'created' | 'changed' | 'removed';
  revision: number;
  by?: string;
  reason?: string;
  /** As it was after the change; absent: removed. */
  route?: Route;
}

const ASK = { timeout: '10s' } as const;
/** A row of the journal holds it. */
const MOST_BYTES = 3_600;
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/**
 * Stored routes: rules, kept in the store and edited while everything runs, that lead published events to actors beside those
 * that subscribe. Works in every process; some process must run {@link RoutesActor}. Outside of handlers.
 */
@Injectable()
export class Routes {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    private readonly router: Router,
    private readonly declared: Subscriptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Makes a route, or changes it. Resolves when every process goes by it.
   *
   * @param id 1 to 100 letters, digits, `_`, `.` and `-`
   * @throws OptionError naming the bad field of the route
   * @throws whatever `Actors.ask` throws, AskTimeoutError above all: no worker runs
   */
  async put(id: string, route: Omit<Route, 'id'>, change: RouteChange = {}): Promise<RoutePut> {
    const checked = checkedRoute({ ...route, id: checkedRouteId(id) }, '');
    const why = checkedChange(change);
    if (Buffer.byteLength(JSON.stringify([checked, why])) > MOST_BYTES) {
      throw new OptionError(
        'route',
        `must be at most ${MOST_BYTES} bytes of JSON, with its reason`,
      );
    }
    return this.actors.ask(new PutRoute({ id, route: checked, ...why }), ASK);
  }

  /** Removes a route; its history stays. @throws as {@link put} */
  async remove(id: string, change: RouteChange = {}): Promise<RouteRemoval> {
    const message = new RemoveRoute({ id: checkedRouteId(id), ...checkedChange(change) });
    return this.actors.ask(message, ASK);
  }

  /** One route, or undefined. @throws OptionError for what cannot be its id */
  async get(id: string): Promise<RouteRecord | undefined> {
    return toRecord(checkedRouteId(id), await this.keys.state(RoutesActor, id));
  }

  /**
   * Routes by id, those behind `after`. Their own `order` says in which order they are looked at.
   *
   * @param page limit: 1 to 1,000, default 100
   */
  async list({ after, limit = 100 }: { after?: string; limit?: number } = {}): Promise<
    RouteRecord[]
  > {
    const found: RouteRecord[] = [];
    // Those that were removed are among them.
    for (let place = after; found.length < limit;) {
      const page = { limit, ...(place !== undefined && { after: place }) };
      const states = await this.keys.states(RoutesActor, page);
      for (const { key, state } of states) {
        const record = toRecord(key, state);
        if (record && found.length < limit) found.push(record);
      }
      place = states.at(-1)?.key;
      if (states.length < limit) break;
    }
    return found;
  }

  /** What an actor subscribes to, as the store has it, or undefined. @throws OptionError for what cannot be its name */
  async subscriber(actor: string): Promise<Subscriber | undefined> {
    return this.router.subscriber(checkedActor(actor));
  }

  /** All actors that subscribe to something, by name, whether any process runs them or not. */
  async subscribers(): Promise<Subscriber[]> {
    return this.router.subscribers();
  }

  /**
   * Ends all subscriptions of an actor that is gone for good. What it was sent before stays in its queue. One that runs in another
   * process, or comes back, subscribes again, within ten seconds: what is published meanwhile does not reach it.
   *
   * @throws OptionError for what cannot be its name, and for an actor of this process
   */
  async unsubscribe(actor: string): Promise<void> {
    const owner = ownerOf(checkedActor(actor));
    if (this.declared.has(actor)) {
      throw new OptionError('actor', 'runs in this process, and subscribes as long as it does');
    }
    await this.router.bind(owner, undefined);
  }

  /**
   * Changes of a route, newest first, also of one that was removed.
   *
   * @param page `before`: those older than that of this cursor; `limit`: 1 to 1,000, default 100
   * @throws OptionError
   */
  async history(id: string, page: { before?: string; limit?: number } = {}): Promise<RouteAudit[]> {
    const rows = await this.keys.journal(ROUTES, checkedRouteId(id), page);
    return rows.map(({ id: cursor, row }) => ({ ...row, cursor }) as unknown as RouteAudit);
  }

  /**
   * Where an event would be led now; nothing is stored.
   *
   * @param draft a route as if it were stored, in place of the one with its id
   * @throws OptionError as `Actors.publish`, and naming the bad field of the draft, `route.match.when` say
   */
  async test(
    event: MessageInstance,
    options: PublishOptions = {},
    draft?: Route,
  ): Promise<RouteTest> {
    const envelope = seal(event, options, { now: this.clock.now() }, '', PUBLISH);
    if (draft !== undefined) checkedRouteId(draft.id);
    const route = draft && checkedRoute(draft, 'route.');
    const { reached, ...explained } = await this.router.explain(toRouted(envelope), route);
    return { ...explained, by: reached.map(({ receiver, by }) => ({ receiver, by })) };
  }
}

/** Where an event would be led. */
export interface RouteTest {
  /** Who would get a copy, and what would be set on it. */
  receivers: Receiving[];
  /** What leads it there: `actor:<name>`, a subscription, or `route:<id>`; in the order looked at. */
  by: { receiver: Route['to'][number]; by: string }[];
  /** Filters that could not be asked of this event, and so did not match. */
  failed: { owner: string; error: string }[];
  /** What stands in the store and is left out: another version of the application may have put it there. */
  problems: { owner: string; error: string }[];
}

function toRecord(id: string, state: RouteState | undefined): RouteRecord | undefined {
  if (!state?.route) return undefined;
  const { route, revision, changedAt = '' } = state;
  return { id, route, revision, changedAt };
}

function checkedRouteId(id: string): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new OptionError('id', `must match ${ID}`);
}

function checkedChange({ by, reason, ifRevision, ...rest }: RouteChange): RouteChange {
  for (const field of Object.keys(rest)) throw new OptionError(field, 'is not an option');
  if (ifRevision !== undefined && !(Number.isSafeInteger(ifRevision) && ifRevision >= 0)) {
    throw new OptionError('ifRevision', 'must be a whole number from 0');
  }
  return {
    ...(by !== undefined && { by: checkedText(by, 'by') }),
    ...(reason !== undefined && { reason: checkedText(reason, 'reason') }),
    ...(ifRevision !== undefined && { ifRevision }),
  };
}

function checkedActor(name: string): string {
  if (ACTOR_NAME.test(name)) return name;
  throw new OptionError('actor', 'must be the name of an actor');
}
