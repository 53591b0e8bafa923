import {
  ENGINE,
  MessageRegistry,
  tenantTerm,
  termOf,
  type Engine,
  type MessageRecord,
  type SearchPlace,
  type SearchResult,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { badQuery } from '../page.js';
import { matches, type MessageFilter } from './message.lister.js';

/** Which messages are looked for; what is absent does not narrow. */
export interface Search extends Omit<MessageFilter, 'actor'> {
  /** In whose queues. */
  actors: readonly string[];
  /** `data.<field>:<value>`. Absent: all of the tenant. */
  q?: string | undefined;
  /** Whose they are; absent: anybody's. */
  tenant?: string | undefined;
}

const FIELD = /^data\.([\w$-]{1,64}):([^]{0,1000})$/;

/** Messages that one call reads, at most and at once, when it has to look for some among them; and for how long, ms. */
const MOST_READ = 1_000;
const AT_ONCE = 100;
const MOST_TIME = 2_000;

/** Finds messages by a value in their data, or all of a tenant, those sent last first. */
@Injectable()
export class MessageSearcher {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
  ) {}

  /**
   * At most `limit` from a place on, and where it goes on. A call has a bound: items may be few, even none, and `next` there.
   *
   * @throws ProblemError invalid_query when no type can be searched so, or nothing says what to look for
   */
  async page(search: Search, limit: number, from?: SearchPlace): Promise<SearchResult> {
    const { actors, state, key, type, q } = search;
    const field = q === undefined ? undefined : this.fieldOf(q);
    const term = termFor(field, search.tenant);
    const isNarrow = [state, key, type].some((each) => each !== undefined);
    const size = isNarrow ? AT_ONCE : limit;
    const until = performance.now() + MOST_TIME;
    const items: MessageRecord[] = [];
    let after = from;
    for (
      let read = 0;
      read < MOST_READ && (read === 0 || performance.now() < until);
      read += size
    ) {
      const page = { limit: size, ...(after && { after }) };
      const { items: found, next } = await this.engine.search(actors, term, page);
      const wanted = found.filter((record) => this.isWanted(record, search, field?.name));
      const taken = wanted.slice(0, limit - items.length);
      items.push(...taken);
      const last = items.at(-1);
      // What is behind the last one taken is read again for the next page.
      if (items.length === limit && last && (wanted.length > taken.length || next)) {
        return { items, next: { sentAt: last.envelope.sentAt, storageId: last.storageId } };
      }
      if (!next) return { items };
      after = next;
    }
    return { items, ...(after && { next: after }) };
  }

  /** @throws ProblemError invalid_query */
  private fieldOf(q: string): Field {
    const [, name, value] = FIELD.exec(q) ?? [];
    if (name === undefined || value === undefined) {
      throw badQuery('q', 'must be data.<field>:<value>');
    }
    const fields = new Set(this.registry.all().flatMap(({ meta }) => meta.search));
    if (fields.has(name)) return { name, value };
    const known = [...fields].sort().join(', ') || 'none';
    throw badQuery('q', `names no field that can be searched; those that can: ${known}`);
  }

  /** What is no longer to be found by a field, because it is secret now say, is not. */
  private isWanted(record: MessageRecord, search: Search, field: string | undefined): boolean {
    const { type } = record.envelope;
    const isDeclared =
      field === undefined ||
      !this.registry.has(type) ||
      this.registry.get(type).meta.search.includes(field);
    const isOfState = search.state === undefined || record.state === search.state;
    return isDeclared && isOfState && matches(record, search);
  }
}

interface Field {
  name: string;
  value: string;
}

/** Somebody of a tenant is led to nothing of others. @throws ProblemError invalid_query when nothing says what to look for */
function termFor(field: Field | undefined, tenant: string | undefined): string {
  if (field) return termOf(field.name, field.value, tenant);
  if (tenant === undefined) throw badQuery('actor', 'must be given without q');
  return tenantTerm(tenant);
}
