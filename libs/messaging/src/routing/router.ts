import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../clock.js';
import { ENGINE, type Engine } from '../engine.js';
import { copyId, type Envelope } from '../envelope.js';
import { OptionError } from '../messaging.errors.js';
import type { Json } from '../json.js';
import type { Route, RoutedEvent, Subscription } from './route.js';
import { actorOf, ownerOf } from './actor.binding.js';
import type { Reached } from './reach.js';
import { rendezvous } from './rendezvous.js';
import { RoutingTable, subscriptionsOf, type Problem, type Routed } from './routing.table.js';

/** How long the table is used before the store is asked whether it changed, ms: so long another process may use the old one. */
const REMEMBERED = 250;

/** How long counts of messages are used to choose the least loaded, ms. */
const COUNTED = 1_000;

/** An actor that gets a copy of an event, and what a route sets on that copy. */
export interface Receiving {
  readonly actor: string;
  readonly set?: Route['set'];
}

/** Where an event would go, and why. */
export interface Explanation extends Routed {
  receivers: Receiving[];
  problems: Problem[];
}

/** An actor that gets copies of events. */
export interface Subscriber {
  actor: string;
  subscriptions: readonly Subscription[];
  /** Why what is stored cannot be read here: another version of the application may have put it there. Then no event reaches it. */
  problem?: string;
}

interface Load {
  load: number;
}

/** How one of several is chosen: by load, which its copy adds to; only looked at; or always the same for the id of an event. */
type Choice = 'load' | 'look' | { id: string };

/** The most copies of one event: they are stored in one step. */
const MOST_COPIES = 1_000;

/** Leads events to actors: to those that subscribe, and where stored routes say. */
@Injectable()
export class Router {
  private readonly logger = new Logger('Callsheet');
  private known?: { at: number; table: Promise<RoutingTable> };
  private newest?: RoutingTable;
  private loading = 0;
  private loaded = 0;
  private readonly told = new Set<string>();
  private readonly loads = new Map<string, { at: number; load: Promise<Load> }>();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What leads events to actors now, as one version of it. */
  table(): Promise<RoutingTable> {
    const now = this.clock.now();
    // A clock that was set back must not make it remembered for longer.
    if (this.known && Math.abs(now - this.known.at) < REMEMBERED) return this.known.table;
    const latest = { at: now, table: this.load() };
    this.known = latest;
    // A failed look is not remembered; a later one that did not fail is.
    latest.table.catch(() => {
      if (this.known === latest) this.known = undefined;
    });
    return latest.table;
  }

  /**
   * The actors that get a copy of an event, each once, by one version of the table.
   *
   * @param id of an event that may be published again with it: of several the same one is chosen then, whatever the load
   */
  async receivers(event: RoutedEvent, id?: string): Promise<Receiving[]> {
    const { reached, failed } = (await this.table()).match(event);
    // Not why: that may quote what is in the event.
    for (const { owner } of failed) this.tell(`the filter of ${owner} cannot be asked of an event`);
    return this.chosen(reached, id === undefined ? 'load' : { id });
  }

  /**
   * Whom an event would reach, and by what.
   *
   * @param draft as if it were stored
   */
  async explain(event: RoutedEvent, draft?: Route): Promise<Explanation> {
    const table = draft ? await this.tableWith(draft) : await this.table();
    const routed = table.match(event, Infinity);
    const receivers = await this.chosen(routed.reached, 'look');
    return { ...routed, receivers, problems: [...table.problems] };
  }

  /** What is stored of the subscriptions of an actor, or undefined. */
  async subscriber(actor: string): Promise<Subscriber | undefined> {
    return toSubscriber(actor, await this.engine.bound(ownerOf(actor)));
  }

  /** The same of all actors that have any, by name. */
  async subscribers(): Promise<Subscriber[]> {
    const { owners = {} } = (await this.engine.bindings()) ?? {};
    return Object.entries(owners)
      .flatMap(([owner, value]) => {
        const actor = actorOf(owner);
        return (actor !== undefined && toSubscriber(actor, value)) || [];
      })
      .sort((a, b) => (a.actor < b.actor ? -1 : 1));
  }

  private async tableWith(route: Route): Promise<RoutingTable> {
    const { owners = {} } = (await this.engine.bindings()) ?? {};
    const bound = { revision: 0, route: route as unknown as Json };
    return new RoutingTable('', { ...owners, [`route:${route.id}`]: bound });
  }

  private async chosen(reached: readonly Reached[], by: Choice): Promise<Receiving[]> {
    const receivers = new Map<string, Receiving>();
    for (const { receiver, set } of reached) {
      const actor = typeof receiver === 'string' ? receiver : await this.choose(receiver.oneOf, by);
      if (!receivers.has(actor)) receivers.set(actor, { actor, ...(set && { set }) });
    }
    return [...receivers.values()].sort((a, b) => (a.actor < b.actor ? -1 : 1));
  }

  /** The copies of an event, one for each receiver, sorted by it. */
  async copies(event: Envelope): Promise<Envelope[]> {
    // Published again with the same id it must not reach another.
    const id = event.fingerprint === undefined ? undefined : event.id;
    const receivers = await this.receivers(toRouted(event), id);
    if (receivers.length > MOST_COPIES) {
      throw new OptionError('event', `must not reach more than ${MOST_COPIES} actors`);
    }
    return receivers.map((receiving) => copyFor(event, receiving));
  }

  /** Binds what is `owner`'s, as `Engine.bind`. Resolves when every process goes by it. */
  async bind(owner: string, value: Json | undefined): Promise<void> {
    let isChange: boolean;
    try {
      isChange = await this.engine.bind(owner, value);
    } finally {
      this.known = undefined;
    }
    if (isChange) await this.spread();
  }

  /** Waits until no process uses the table of before. */
  private async spread(): Promise<void> {
    if (!this.engine.store.shared) return;
    await new Promise<void>((resolve) => this.clock.after(REMEMBERED, resolve));
  }

  private async load(): Promise<RoutingTable> {
    const before = this.newest;
    const load = ++this.loading;
    const bindings = await this.engine.bindings(before?.version);
    if (!bindings) return before as RoutingTable;
    const table = new RoutingTable(bindings.version, bindings.owners);
    for (const { owner, error } of table.problems) this.tell(`${owner} is left out: ${error}`);
    // An answer that took long is not newer than one that was asked for later.
    if (load > this.loaded) {
      this.newest = table;
      this.loaded = load;
    }
    return table;
  }

  /** The actor with the fewest messages that wait or are in work; of equal ones the first. */
  private async choose(names: readonly string[], by: Choice): Promise<string> {
    if (typeof by === 'object') return rendezvous(names, by.id);
    const loads = await Promise.all(names.map((name) => this.loadOf(name)));
    let best = 0;
    for (const [index, { load }] of loads.entries()) if (load < loads[best]!.load) best = index;
    // Those of the next second are not all for the same one.
    if (by === 'load') loads[best]!.load += 1;
    return names[best]!;
  }

  /** One for all who ask meanwhile, so that they count each other. */
  private loadOf(actor: string): Promise<Load> {
    const now = this.clock.now();
    const known = this.loads.get(actor);
    if (known && Math.abs(now - known.at) < COUNTED) return known.load;
    const load = this.engine
      .counts(actor)
      .then(({ waiting, active }) => ({ load: waiting + active }));
    const latest = { at: now, load };
    this.loads.set(actor, latest);
    load.catch(() => {
      if (this.loads.get(actor) === latest) this.loads.delete(actor);
    });
    return load;
  }

  /** Once each: an event is not the place to tell of a filter that does not fit. */
  private tell(trouble: string): void {
    if (this.told.size >= 1_000 || this.told.has(trouble)) return;
    this.told.add(trouble);
    this.logger.warn(`routing: ${trouble}`);
  }
}

/** What of an event decides where it goes. */
export function toRouted(event: Envelope): RoutedEvent {
  const { type, topic = type, key, data, headers, priority, tenant, sentAt } = event;
  return {
    ...{ type, topic, data, headers, priority, sentAt },
    ...(key !== undefined && { key }),
    ...(tenant !== undefined && { tenant }),
  };
}

function copyFor(event: Envelope, { actor, set = {} }: Receiving): Envelope {
  const { dueAt, deadline, sentAt } = event;
  const { priority = event.priority, delay = 0, headers } = set;
  return {
    ...event,
    id: copyId(event.id, actor),
    actor,
    priority,
    correlationId: event.correlationId ?? event.id,
    ...(headers && { headers: { ...event.headers, ...headers } }),
    ...(delay > 0 && {
      dueAt: (dueAt ?? sentAt) + delay,
      ...(deadline !== undefined && { deadline: deadline + delay }),
    }),
  };
}

function toSubscriber(actor: string, value: Json | undefined): Subscriber | undefined {
  if (value === undefined) return undefined;
  try {
    const subscriptions = subscriptionsOf(value);
    return subscriptions.length > 0 ? { actor, subscriptions } : undefined;
  } catch (error) {
    return { actor, subscriptions: [], problem: (error as Error).message };
  }
}
