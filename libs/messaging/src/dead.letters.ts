import { Inject, Injectable } from '@nestjs/common';
import {
  ENGINE,
  type DeadLetterPlace,
  type DeadReason,
  type Engine,
  type MessageRecord,
} from './engine.js';
import { fingerprintOfDeath } from './dead.letter.fingerprint.js';
import { encode, violations } from './codec.js';
import type { Envelope } from './envelope.js';
import type { JsonObject } from './json.js';
import { keyOf, metaOf, openMessage } from './message.js';
import { MessageRegistry } from './message.registry.js';
import { InvalidMessageError, OptionError } from './messaging.errors.js';
import { termsOf } from './search.term.js';

/** Which dead letters; all given fields must match. */
export interface DeadLetterFilter {
  actor?: string;
  /** Type of the message. */
  type?: string;
  reason?: DeadReason;
  /** As {@link DeadLetter.fingerprint}. */
  fingerprint?: string;
  /** Name or code of what it died of: of the error of its last attempt. */
  error?: string;
  tenant?: string;
  /** Died before this moment. */
  before?: Date;
}

/** How many are redriven at once. */
export interface RedriveOptions {
  /** At most this many: 1 to 1,000, default 100. */
  limit?: number;
  /** Only counts. Default false. */
  dryRun?: boolean;
}

/** What became of letters that match. */
export interface RedrivenLetters {
  /** How many were redriven; of a dry run, how many would be. */
  count: number;
  /** How many matched, of those looked at. */
  matched: number;
  /** Whether some that match may still be dead letters. Those that died anew meanwhile are not meant. */
  more: boolean;
}

/** A message that was given up: its record, and what it died of. */
export interface DeadLetter extends MessageRecord {
  /** The same for letters that died of the same trouble: actor, type, reason, error; numbers and names left out. */
  fingerprint: string;
}

/** Letters that died of the same trouble. */
export interface DeadLetterGroup {
  fingerprint: string;
  count: number;
  actor: string;
  type: string;
  reason: DeadReason | undefined;
  /** Of the newest. */
  error: { name: string; message: string; code?: string } | undefined;
  /** When the oldest and the newest died, epoch milliseconds. */
  first: number;
  last: number;
  /** Ids of the newest, at most five. */
  ids: string[];
}

const FIELDS = new Set<string>([
  'actor',
  'type',
  'reason',
  'fingerprint',
  'error',
  'tenant',
  'before',
] satisfies (keyof DeadLetterFilter)[]);

/** Letters read from the store at once, and the most that one call looks at. */
const PAGE = 500;
const MOST_READ = 50_000;

/** How long {@link DeadLetters.page} and {@link DeadLetters.groupSome} read, ms. */
const PAGE_PATIENCE = 2_000;

/** The most letters that {@link DeadLetters.redriveSome} takes, and how long it reads, and then redrives, ms. */
const MOST_REDRIVEN = 1_000;
const REDRIVE_PATIENCE = 5_000;

/** Dead letters by trouble, the most frequent first. */
export interface DeadLetterGrouping {
  groups: DeadLetterGroup[];
  /** Whether all letters were looked at. */
  complete: boolean;
  /** When not: those that died before this moment were not looked at, epoch milliseconds. */
  since?: number;
}

/** Some dead letters, newest first. */
export interface DeadLetterPage {
  letters: DeadLetter[];
  /** What the next page is after; absent on the last. */
  next?: DeadLetterPlace;
}

/** One reading of letters. */
interface Look {
  /** How long it goes on, by `performance.now()`. */
  until: number;
  /** Told when all letters were looked at. */
  isWhole: boolean;
  /** Told what was looked at so far. */
  place?: DeadLetterPlace;
}

/** Messages that were given up: look at them, mend them, send them on their way again, or drop them. */
@Injectable()
export class DeadLetters {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
  ) {}

  /**
   * Newest first: at most `limit` (default 100), those after a place if one is given. A call looks at 50,000 letters at most.
   *
   * @throws OptionError for a filter that does not exist, and for what is no limit
   */
  async list(
    filter: DeadLetterFilter = {},
    { after, limit = 100 }: { after?: DeadLetterPlace; limit?: number } = {},
  ): Promise<DeadLetter[]> {
    requireLimit(limit);
    const found: DeadLetter[] = [];
    for await (const letter of this.read(filter, after)) {
      found.push(letter);
      if (found.length >= limit) break;
    }
    return found;
  }

  /**
   * As {@link list}, in bounded time: it looks for two seconds or so. There is more as long as it says where to go on, however few it has
   * found, even none.
   *
   * @throws OptionError as {@link list}
   */
  async page(
    filter: DeadLetterFilter = {},
    { after, limit = 100 }: { after?: DeadLetterPlace; limit?: number } = {},
  ): Promise<DeadLetterPage> {
    requireLimit(limit);
    const letters: DeadLetter[] = [];
    const look: Look = { until: performance.now() + PAGE_PATIENCE, isWhole: false };
    for await (const letter of this.read(filter, after, look)) {
      // One more than asked for tells whether there is a next page.
      if (letters.length === limit) return { letters, next: placeOf(letters.at(-1)!) };
      letters.push(letter);
    }
    return { letters, ...(!look.isWhole && look.place && { next: look.place }) };
  }

  /** Letters by trouble, the most frequent first. It looks at the 50,000 newest at most. */
  async groups(filter: DeadLetterFilter = {}): Promise<DeadLetterGroup[]> {
    return grouped(this.read(filter));
  }

  /**
   * As {@link groups}, in bounded time: it looks for two seconds or so, at the newest first, and says whether it has looked at all.
   *
   * @throws OptionError for a filter that does not exist
   */
  async groupSome(filter: DeadLetterFilter = {}): Promise<DeadLetterGrouping> {
    const look: Look = { until: performance.now() + PAGE_PATIENCE, isWhole: false };
    const groups = await grouped(this.read(filter, undefined, look));
    const { isWhole: complete, place } = look;
    return { groups, complete, ...(!complete && place && { since: place.finishedAt }) };
  }

  /** The dead letter with this id, or undefined. */
  async get(id: string): Promise<DeadLetter | undefined> {
    const record = await this.engine.find(id, this.registry.actors());
    return record?.state === 'dead' ? toDeadLetter(record) : undefined;
  }

  /**
   * Puts a dead letter back into its actor's queue with all attempts available again. `edited` takes the place of its data,
   * in the version that the message was sent in; its key stays, because it says whose mailbox the letter goes back to.
   *
   * @returns false when there is no such dead letter
   * @throws InvalidMessageError, NewerVersionError, UnknownMessageError for edited data
   */
  async redrive(id: string, edited?: unknown): Promise<boolean> {
    const actors = this.registry.actors();
    if (edited === undefined) return this.engine.redrive(id, actors);
    const letter = await this.get(id);
    if (!letter) return false;
    const { type, version, key } = letter.envelope;
    const problems = violations(edited);
    if (problems.length > 0) throw new InvalidMessageError(type, problems);
    const carried = encode(edited);
    const message = openMessage(this.registry.get(type), { ...carried, version } as Envelope);
    const own = keyOf(message);
    if (key !== undefined && own !== undefined && own !== key) {
      const path = metaOf(message, 'message').key ?? '';
      // Of a message that does not say its key, its schema makes one of other fields.
      const isGiven = Object.hasOwn(carried.data as object, path);
      const stays = `must stay '${key}'${isGiven ? '' : `: add "${path}": ${JSON.stringify(key)}`}`;
      const problem = `is the key and ${stays}; or discard this one and send a new message`;
      throw new InvalidMessageError(type, [{ path, message: problem }]);
    }
    const { search } = metaOf(message, 'message');
    const terms = termsOf(search, carried.data as JsonObject, letter.envelope.tenant);
    return this.engine.redrive(id, actors, { ...carried, ...(terms.length > 0 && { terms }) });
  }

  /** Redrives all that match, oldest first, so that those of a key keep their order. @returns how many */
  async redriveAll(filter: DeadLetterFilter): Promise<number> {
    return this.each(filter, (id, actor) => this.engine.redrive(id, [actor]));
  }

  /**
   * Redrives those that match, the oldest first, in bounded number and time: at most `limit`, in 10 s or so. It looks at 50,000
   * letters at most, the newest; what it leaves, by whichever bound, the next call finds.
   *
   * @throws OptionError for a filter that does not exist, one that is undefined, and for what is no limit
   */
  async redriveSome(
    filter: DeadLetterFilter,
    { limit = 100, dryRun = false }: RedriveOptions = {},
  ): Promise<RedrivenLetters> {
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_REDRIVEN) {
      throw new OptionError('limit', `must be a whole number from 1 to ${MOST_REDRIVEN}`);
    }
    requireDefined(filter);
    const letters: [id: string, actor: string][] = [];
    const look: Look = { until: performance.now() + REDRIVE_PATIENCE, isWhole: false };
    for await (const { envelope } of this.read(filter, undefined, look)) {
      letters.push([envelope.id, envelope.actor]);
    }
    const oldest = letters.reverse().slice(0, limit);
    const rest = { matched: letters.length, more: !look.isWhole || letters.length > limit };
    if (dryRun) return { count: oldest.length, ...rest };
    const until = performance.now() + REDRIVE_PATIENCE;
    let count = 0;
    for (const [id, actor] of oldest) {
      if (performance.now() > until) return { count, ...rest, more: true };
      if (await this.engine.redrive(id, [actor])) count++;
    }
    return { count, ...rest };
  }

  /** Removes a dead letter for good. @returns false when there is no such dead letter */
  async discard(id: string): Promise<boolean> {
    return this.engine.discard(id, this.registry.actors());
  }

  /** Removes all that match for good. @returns how many */
  async discardAll(filter: DeadLetterFilter): Promise<number> {
    return this.each(filter, (id, actor) => this.engine.discard(id, [actor]));
  }

  /** Those that are dead now: one that dies again meanwhile is not taken twice. */
  private async each(
    filter: DeadLetterFilter,
    act: (id: string, actor: string) => Promise<boolean>,
  ): Promise<number> {
    requireDefined(filter);
    const letters: [id: string, actor: string][] = [];
    for await (const { envelope } of this.read(filter)) letters.push([envelope.id, envelope.actor]);
    let count = 0;
    for (const [id, actor] of letters.reverse()) if (await act(id, actor)) count++;
    return count;
  }

  private async *read(
    filter: DeadLetterFilter,
    after?: DeadLetterPlace,
    look: Look = { until: Infinity, isWhole: false },
  ): AsyncGenerator<DeadLetter> {
    for (const field of Object.keys(filter)) {
      if (!FIELDS.has(field)) throw new OptionError(`filter.${field}`, 'is not a filter');
    }
    const { actor, before } = filter;
    if (before !== undefined && !(before instanceof Date && !Number.isNaN(before.getTime()))) {
      throw new OptionError('filter.before', 'must be a valid Date');
    }
    const actors = this.registry.actors().filter((name) => actor === undefined || name === actor);
    let place = after;
    for (let read = 0; read < MOST_READ && performance.now() < look.until; read += PAGE) {
      const page = await this.engine.deadLetters(actors, {
        ...(place && { after: place }),
        limit: PAGE,
      });
      for (const record of page) {
        const letter = toDeadLetter(record);
        if (matches(letter, filter)) yield letter;
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) {
        look.isWhole = true;
        return;
      }
      look.place = place = placeOf(last);
    }
  }
}

function requireLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw new OptionError('limit', 'must be a whole number from 1');
}

function placeOf({ finishedAt = 0, storageId }: MessageRecord): DeadLetterPlace {
  return { finishedAt, storageId };
}

/** What was meant to narrow must not come out as all of them. */
function requireDefined(filter: DeadLetterFilter): void {
  for (const [field, value] of Object.entries(filter)) {
    if (value !== undefined) continue;
    throw new OptionError(`filter.${field}`, 'is undefined: leave it out if all of them are meant');
  }
}

function toDeadLetter(record: MessageRecord): DeadLetter {
  const { envelope, reason, history } = record;
  const { actor, type } = envelope;
  const error = history.at(-1)?.error;
  return { ...record, fingerprint: fingerprintOfDeath({ actor, type, reason, error }) };
}

function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { type, reason, fingerprint, error, tenant, before } = filter;
  const { name, code } = letter.history.at(-1)?.error ?? {};
  return (
    (type === undefined || letter.envelope.type === type) &&
    (reason === undefined || letter.reason === reason) &&
    (fingerprint === undefined || letter.fingerprint === fingerprint) &&
    (error === undefined || name === error || code === error) &&
    (tenant === undefined || letter.envelope.tenant === tenant) &&
    (before === undefined || (letter.finishedAt ?? 0) < before.getTime())
  );
}

async function grouped(letters: AsyncIterable<DeadLetter>): Promise<DeadLetterGroup[]> {
  const groups = new Map<string, DeadLetterGroup>();
  for await (const letter of letters) {
    const at = letter.finishedAt ?? 0;
    const known = groups.get(letter.fingerprint);
    if (known) {
      known.count++;
      known.first = at;
      if (known.ids.length < 5) known.ids.push(letter.envelope.id);
    } else {
      groups.set(letter.fingerprint, toGroup(letter, at));
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || b.last - a.last);
}

function toGroup(
  { fingerprint, envelope, reason, history }: DeadLetter,
  at: number,
): DeadLetterGroup {
  const { name, message, code } = history.at(-1)?.error ?? {};
  const { actor, type, id } = envelope;
  const error = name === undefined || message === undefined ? undefined : { name, message, code };
  return { fingerprint, count: 1, actor, type, reason, error, first: at, last: at, ids: [id] };
}
