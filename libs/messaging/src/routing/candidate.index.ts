import type { Candidate } from './candidate.js';
import { equalitiesOf, valueAt } from './filter.equality.js';
import type { RoutedEvent } from './route.js';
import { TopicTrie } from './topic.js';

/** Something of an event that can be looked up. */
interface Field {
  readonly name: string;
  of(event: RoutedEvent): unknown;
  /** Filters are asked of events that have no such field too, because they say that they cannot say. */
  readonly isFilter?: boolean;
}

/** A value that a field must have for a candidate to fit. */
interface Label {
  readonly field: Field;
  readonly value: string | number;
}

/**
 * Candidates by what can be looked up: the type, the pattern of the topic, and of all that the tenant, headers and filters say
 * must be equal that which the fewest others say.
 */
export class CandidateIndex {
  private readonly byType = new Map<string, Shelf>();
  private readonly ofAnyType = new Shelf();

  constructor(candidates: readonly Candidate[]) {
    const labels = candidates.map(({ match }) => labelsOf(match));
    const counts = new Map<string, number>();
    for (const each of labels.flat()) counts.set(keyOf(each), (counts.get(keyOf(each)) ?? 0) + 1);
    for (const [at, candidate] of candidates.entries()) {
      const count = (label: Label): number => counts.get(keyOf(label)) ?? 0;
      const [rarest] = labels[at]!.sort((a, b) => count(a) - count(b));
      this.shelf(candidate.match.type).add(candidate, rarest);
    }
  }

  /**
   * All that may fit, by their place, and of those whose filter looks for a field that the event lacks, so that it cannot say,
   * some.
   *
   * @param most of them for each such field
   */
  find(event: RoutedEvent, most: number): Candidate[] {
    const found: Candidate[] = [];
    this.ofAnyType.find(event, found, most);
    this.byType.get(event.type)?.find(event, found, most);
    return found.sort((a, b) => a.place - b.place);
  }

  private shelf(type: string | undefined): Shelf {
    if (type === undefined) return this.ofAnyType;
    let shelf = this.byType.get(type);
    if (!shelf) this.byType.set(type, (shelf = new Shelf()));
    return shelf;
  }
}

class Shelf {
  private readonly ofAnyTopic = new Box();
  private readonly byPattern = new Map<string, Box>();
  private readonly byTopic = new TopicTrie<Box>();

  add(candidate: Candidate, label: Label | undefined): void {
    this.box(candidate.match.topic).add(candidate, label);
  }

  find(event: RoutedEvent, found: Candidate[], most: number): void {
    this.ofAnyTopic.find(event, found, most);
    if (this.byPattern.size === 0) return;
    for (const box of this.byTopic.match(event.topic)) box.find(event, found, most);
  }

  private box(pattern: string | undefined): Box {
    if (pattern === undefined) return this.ofAnyTopic;
    let box = this.byPattern.get(pattern);
    if (!box) {
      this.byPattern.set(pattern, (box = new Box()));
      this.byTopic.add(pattern, box);
    }
    return box;
  }
}

/** Candidates that only their labels tell apart. */
class Box {
  private readonly unlabelled: Candidate[] = [];
  private byField?: Map<string, { field: Field; byValue: Map<unknown, Candidate[]> }>;

  add(candidate: Candidate, label: Label | undefined): void {
    if (!label) {
      this.unlabelled.push(candidate);
      return;
    }
    const { field, value } = label;
    this.byField ??= new Map();
    let drawer = this.byField.get(field.name);
    if (!drawer) this.byField.set(field.name, (drawer = { field, byValue: new Map() }));
    const labelled = drawer.byValue.get(value);
    if (labelled) labelled.push(candidate);
    else drawer.byValue.set(value, [candidate]);
  }

  find(event: RoutedEvent, found: Candidate[], most: number): void {
    append(found, this.unlabelled);
    for (const { field, byValue } of this.byField?.values() ?? []) {
      const value = field.of(event);
      if (value === undefined && field.isFilter) {
        const until = found.length + most;
        for (const labelled of byValue.values()) {
          append(found, labelled.slice(0, until - found.length));
          if (found.length >= until) break;
        }
      } else append(found, byValue.get(value));
    }
  }
}

const TENANT: Field = { name: 'tenant', of: ({ tenant }) => tenant };

/** What must be equal for a candidate to fit. */
function labelsOf({ tenant, headers = {}, when = '' }: Candidate['match']): Label[] {
  const labels: Label[] = tenant === undefined ? [] : [{ field: TENANT, value: tenant }];
  for (const [name, value] of Object.entries(headers)) {
    const of = (event: RoutedEvent): unknown => valueAt(event.headers, [name]);
    labels.push({ field: { name: `header ${name}`, of }, value });
  }
  for (const { path, value } of equalitiesOf(when)) {
    const of = (event: RoutedEvent): unknown => valueAt(event, path);
    labels.push({ field: { name: `filter ${path.join('.')}`, of, isFilter: true }, value });
  }
  return labels;
}

function keyOf({ field, value }: Label): string {
  return `${field.name} ${typeof value} ${value}`;
}

function append(found: Candidate[], more: readonly Candidate[] = []): void {
  for (const candidate of more) found.push(candidate);
}
