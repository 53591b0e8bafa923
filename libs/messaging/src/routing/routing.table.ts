import type { Json } from '../json.js';
import { ACTOR_NAME } from '../message.js';
import { OptionError } from '../messaging.errors.js';
import { isPause } from '../pauses.js';
import { fits, ofRoute, ofSubscription, type Candidate } from './candidate.js';
import { CandidateIndex } from './candidate.index.js';
import { actorBindingOf } from './actor.binding.js';
import { compileFilter, type EventFilter, type Verdict } from './event.filter.js';
import { variablesOf, type Variables } from './filter.variables.js';
import { Reach, type Reached } from './reach.js';
import {
  checkedRoute,
  checkedSubscription,
  type RoutedEvent,
  type Route,
  type Subscription,
} from './route.js';

/** What could not be used. */
export interface Problem {
  owner: string;
  error: string;
}

/** Where an event goes. */
export interface Routed {
  /** As they were reached: those of rules in their order, then the actors that subscribe, by name. */
  reached: Reached[];
  /** Filters that could not say; they count as no. */
  failed: Problem[];
}

/** The rules and subscriptions of a store at one moment. */
export class RoutingTable {
  /** Owners that are skipped: another version of the application may have stored them. */
  readonly problems: readonly Problem[];
  private readonly index: CandidateIndex;

  /** @param owners by owner, as stored: `actor:<name>` with its subscriptions, `route:<id>` with the rule */
  constructor(
    /** Of what was stored; the table does not look at it. */
    readonly version: string,
    owners: ReadonlyMap<string, Json> | Readonly<Record<string, Json>>,
  ) {
    const problems: Problem[] = [];
    const candidates = read(owners, problems);
    for (const [place, candidate] of candidates.entries()) candidate.place = place;
    this.index = new CandidateIndex(candidates);
    this.problems = problems;
  }

  /**
   * Where an event goes: to every actor once at most, as whatever reached it first says.
   *
   * @param most how many filters are asked that look for the same field, which the event lacks; they do not match, but say why
   */
  match(event: RoutedEvent, most = SOME): Routed {
    const test = testOf(event);
    const reach = new Reach(event);
    const failed: Problem[] = [];
    let isOver = false;
    for (const candidate of this.index.find(event, most)) {
      const { owner, subscriber, match, to, set, isLast } = candidate;
      if (subscriber === undefined ? isOver : reach.has(subscriber)) continue;
      if (!fits(match, event)) continue;
      // Whoever wants all events does not mean what tells of its own dead letters.
      if (event.type === NOTICE && match.type === undefined) continue;
      const { matches, error } = match.when === undefined ? FITS : ask(candidate, test);
      if (error !== undefined) failed.push({ owner, error });
      if (!matches) continue;
      for (const receiver of to) reach.add(receiver, owner, set);
      isOver ||= isLast;
    }
    return { reached: reach.reached, failed };
  }
}

/** All that can be used, in the order in which it is looked at. */
function read(
  owners: ReadonlyMap<string, Json> | Readonly<Record<string, Json>>,
  problems: Problem[],
): Candidate[] {
  const routes: Route[] = [];
  const actors: [string, Subscription[]][] = [];
  for (const [owner, value] of owners instanceof Map ? owners : Object.entries(owners)) {
    if (isPause(owner) || owner.startsWith(API_KEYS)) continue;
    try {
      const [kind, name] = partsOf(owner);
      if (kind === 'route') routes.push(...routeOf(name, value));
      else actors.push([name, subscriptionsOf(value)]);
    } catch (error) {
      problems.push({ owner, error: reasonOf(error) });
    }
  }
  routes.sort((a, b) => a.order - b.order || compare(a.id, b.id));
  actors.sort(([a], [b]) => compare(a, b));
  return [
    ...routes.filter(({ disabled }) => disabled !== true).map(ofRoute),
    ...actors.flatMap(([name, all]) => all.map((one) => ofSubscription(name, one))),
  ];
}

/** Compiles its filter when it is needed first: an event waits for those it meets, and for no others. */
function ask(candidate: Candidate, test: (filter: EventFilter) => Verdict): Verdict {
  const { match, subscriber } = candidate;
  try {
    const path = subscriber === undefined ? 'match.when' : 'when';
    candidate.filter ??= compileFilter(match.when as string, path);
  } catch (error) {
    return { matches: false, error: reasonOf(error) };
  }
  return test(candidate.filter);
}

/** Owners of what access is bound to. */
const API_KEYS = 'api-key:';

/** Enough to tell who looks for the wrong field, few enough to cost nothing. */
const SOME = 10;

/** `DeadLetterAdded`: led to those alone that name it. */
const NOTICE = 'dead-letters.added';

const FITS: Verdict = { matches: true };

/** Tests each filter once, whatever has it; the event is made ready for the first of them. */
function testOf(event: RoutedEvent): (filter: EventFilter) => Verdict {
  let variables: Variables | undefined;
  const tested = new Map<EventFilter, Verdict>();
  return (filter) => {
    let verdict = tested.get(filter);
    if (!verdict) {
      variables ??= prepared(event);
      verdict = filter.test(event, variables);
      tested.set(filter, verdict);
    }
    return verdict;
  };
}

/** Undefined when it cannot be done; each filter then says so of its owner. */
function prepared(event: RoutedEvent): Variables | undefined {
  try {
    return variablesOf(event);
  } catch {
    return undefined;
  }
}

function partsOf(owner: string): ['route' | 'actor', string] {
  const at = owner.indexOf(':');
  const kind = owner.slice(0, at);
  const name = owner.slice(at + 1);
  if (kind === 'route' || (kind === 'actor' && ACTOR_NAME.test(name))) return [kind, name];
  throw new Error('is neither an actor nor a route');
}

/** @param value `{ revision, route }`; one that was removed has no route */
function routeOf(id: string, value: unknown): Route[] {
  if (typeof value !== 'object' || value === null) throw new Error('must be an object');
  if (!('route' in value)) return [];
  const route = checkedRoute(value.route, '', asText);
  if (route.id !== id) throw new Error('is stored under the id of another route');
  return [route];
}

/** @throws OptionError for what another version of the application has stored */
export function subscriptionsOf(value: unknown): Subscription[] {
  const { subscriptions } = actorBindingOf(value as Json);
  if (!Array.isArray(subscriptions)) throw new Error('must be a list of subscriptions');
  return subscriptions.map((one, index) => checkedSubscription(one, `${index}.`, asText));
}

/** Compiling is left for later. */
function asText(when: unknown, path: string): string {
  if (typeof when === 'string') return when;
  throw new OptionError(path, 'must be a CEL expression');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
