import type { EventFilter } from './event.filter.js';
import type { Receiver, RoutedEvent, Route, Subscription } from './route.js';
import { TopicTrie } from './topic.js';

/** A rule, or one subscription of an actor, as it is looked at for an event. */
export interface Candidate {
  readonly owner: string;
  /** The actor whose subscription it is; undefined for a rule. */
  readonly subscriber?: string;
  readonly match: Route['match'];
  readonly to: readonly Receiver[];
  readonly set: Route['set'];
  readonly isLast: boolean;
  /** Its place among all. */
  place: number;
  /** Compiled when it is needed first. */
  filter?: EventFilter;
}

export function ofRoute({ id, match, to, set, last: isLast = false }: Route): Candidate {
  return { owner: `route:${id}`, match, to, set, isLast, place: 0 };
}

export function ofSubscription(subscriber: string, match: Subscription): Candidate {
  return {
    owner: `actor:${subscriber}`,
    subscriber,
    match,
    to: [subscriber],
    set: undefined,
    isLast: false,
    place: 0,
  };
}

/** Whether all fits that is neither indexed nor a filter. */
export function fits({ tenant, priority, headers }: Route['match'], event: RoutedEvent): boolean {
  if (tenant !== undefined && tenant !== event.tenant) return false;
  if (priority) {
    const { min = 0, max = Infinity } = priority;
    if (event.priority < min || event.priority > max) return false;
  }
  for (const name in headers) {
    if (!Object.hasOwn(event.headers, name) || event.headers[name] !== headers[name]) return false;
  }
  return true;
}

/** Candidates by what can be looked up: the type, then the pattern of the topic, else the tenant or a header. */
export class CandidateIndex {
  private readonly byType = new Map<string, Shelf>();
  private readonly ofAnyType = new Shelf();

  add(candidate: Candidate): void {
    const { type } = candidate.match;
    let shelf: Shelf | undefined = this.ofAnyType;
    if (type !== undefined) {
      shelf = this.byType.get(type);
      if (!shelf) this.byType.set(type, (shelf = new Shelf()));
    }
    shelf.add(candidate);
  }

  /** All that may fit, by their place. */
  find(event: RoutedEvent): Candidate[] {
    const found: Candidate[] = [];
    const labels = labelsOf(event);
    this.ofAnyType.find(event.topic, labels, found);
    this.byType.get(event.type)?.find(event.topic, labels, found);
    return found.sort((a, b) => a.place - b.place);
  }
}

class Shelf {
  private readonly others: Candidate[] = [];
  private readonly byLabel = new Map<string, Candidate[]>();
  private byTopic?: TopicTrie<Candidate>;

  add(candidate: Candidate): void {
    const { topic } = candidate.match;
    const label = labelOf(candidate.match);
    if (topic !== undefined) (this.byTopic ??= new TopicTrie()).add(topic, candidate);
    else if (label === undefined) this.others.push(candidate);
    else {
      const labelled = this.byLabel.get(label);
      if (labelled) labelled.push(candidate);
      else this.byLabel.set(label, [candidate]);
    }
  }

  find(topic: string, labels: readonly string[], found: Candidate[]): void {
    for (const candidate of this.others) found.push(candidate);
    if (this.byTopic) for (const candidate of this.byTopic.match(topic)) found.push(candidate);
    if (this.byLabel.size === 0) return;
    for (const label of labels) {
      for (const candidate of this.byLabel.get(label) ?? []) found.push(candidate);
    }
  }
}

/** The tenant or a header that must be there, whichever comes first. */
function labelOf({ tenant, headers = {} }: Route['match']): string | undefined {
  if (tenant !== undefined) return `tenant ${tenant}`;
  const [header] = Object.entries(headers);
  return header && header.join('=');
}

/** All that {@link labelOf} may say of what fits the event. */
function labelsOf({ tenant, headers }: RoutedEvent): string[] {
  const labels = Object.entries(headers).map((header) => header.join('='));
  // No name of a header has a blank.
  if (tenant !== undefined) labels.push(`tenant ${tenant}`);
  return labels;
}
