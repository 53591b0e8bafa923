import {
  ENGINE,
  mergedResults,
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

/** Messages of an actor that one call looks at, at least, and how many it reads at once. */
const MOST_READ = 1_000;
const AT_ONCE = 100;

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
    const term = this.termOf(search);
    const isNarrow = ![search.state, search.key, search.type, search.q && search.tenant].every(
      (each) => each === undefined,
    );
    const size = isNarrow ? AT_ONCE : limit;
    const items: MessageRecord[] = [];
    let after = from;
    for (let read = 0; read < MOST_READ; read += size) {
      const { items: found, next } = await this.pageOf(search.actors, term, size, after);
      const wanted = found.filter((record) => isWanted(record, search));
      // What is behind the last one taken is read again for the next page.
      const rest = wanted.slice(limit - items.length);
      items.push(...wanted.slice(0, limit - items.length));
      const last = items.at(-1);
      if (items.length === limit && last && (rest.length > 0 || next)) {
        return { items, next: { sentAt: last.envelope.sentAt, storageId: last.storageId } };
      }
      if (!next) return { items };
      after = next;
    }
    return { items, ...(after && { next: after }) };
  }

  private async pageOf(
    actors: readonly string[],
    term: string,
    limit: number,
    after: SearchPlace | undefined,
  ): Promise<SearchResult> {
    const page = { limit, ...(after && { after }) };
    const results = await Promise.all(actors.map((actor) => this.engine.search(actor, term, page)));
    return mergedResults(results, limit);
  }

  private termOf({ q, tenant }: Search): string {
    if (q === undefined) {
      if (tenant === undefined) throw badQuery('actor', 'must be given without q');
      return tenantTerm(tenant);
    }
    const [, field, value] = FIELD.exec(q) ?? [];
    if (field === undefined || value === undefined) {
      throw badQuery('q', 'must be data.<field>:<value>');
    }
    const fields = new Set(this.registry.all().flatMap(({ meta }) => meta.search));
    if (fields.has(field)) return termOf(field, value);
    const known = [...fields].sort().join(', ') || 'none';
    throw badQuery('q', `names no field that can be searched; those that can: ${known}`);
  }
}

function isWanted(record: MessageRecord, search: Search): boolean {
  const { state, tenant } = search;
  const isOwn = tenant === undefined || record.envelope.tenant === tenant;
  return isOwn && (state === undefined || record.state === state) && matches(record, search);
}
