import { Inject, Injectable, type Type } from '@nestjs/common';
import { actorOptionsOf } from './actor.decorators.js';
import { actorNameOf } from './actor.name.js';
import { toActorState, type ActorState } from './actor.state.js';
import {
  ENGINE,
  type Engine,
  type JournalRow,
  type KeyOrder,
  type KeyRecord,
  type QuarantinedKey,
} from './engine.js';
import { readable } from './encryption/encrypted.js';
import { Happenings } from './happenings.js';
import { checkedRowId } from './journal.js';
import { ACTOR_NAME } from './message.js';
import { OptionError } from './messaging.errors.js';
import { checkedText } from './sealing.js';
import type { Turn } from './turn.js';
import { outsideTurn } from './turn.scope.js';

/** The state that a method says its turn has. */
type StateOfMethod<M> = M extends (message: never, turn: infer T, ...more: never[]) => unknown
  ? T extends Pick<Turn, 'id' | 'signal'> & { state: infer S }
    ? Exclude<S, undefined>
    : never
  : never;

type StatesOf<A> = { [M in keyof A]: StateOfMethod<A[M]> }[keyof A];

/** The state of an actor class, as its handlers declare their turns; unknown when none of them does. */
export type StateOf<A> = [StatesOf<A>] extends [never] ? unknown : StatesOf<A>;

/** Options of {@link Keys.list}. */
export interface KeyListOptions {
  /** 'age': the key whose first message waits longest first. 'depth': the one with the most messages first. Default 'age'. */
  by?: KeyOrder;
  /** How many at most, 1 to 1,000. Default 100. */
  limit?: number;
}

/** Options of {@link Keys.states}. */
export interface StateListOptions {
  /** Only keys behind this one, the last of the page before. Default: from the first on. */
  after?: string;
  /** How many at most, 1 to 1,000. Default 100. */
  limit?: number;
}

/** Options of {@link Keys.journal}. */
export interface JournalOptions {
  /** Only rows older than the one with this id, the last of the page before. Default: from the newest on. */
  before?: string;
  /** How many at most, 1 to 1,000. Default 100. */
  limit?: number;
}

const LIST_OPTIONS: readonly (keyof KeyListOptions)[] = ['by', 'limit'];
const STATES_OPTIONS: readonly (keyof StateListOptions)[] = ['after', 'limit'];
const JOURNAL_OPTIONS: readonly (keyof JournalOptions)[] = ['before', 'limit'];
const MOST = 1_000;

/**
 * The keys of actors, for operators and controllers: what state they have, which of them have messages, which are
 * quarantined. Works in any process on the store, whether or not it runs the actor. Sees, and does, what is committed: inside a
 * handler it is no part of the turn.
 */
@Injectable()
export class Keys {
  private readonly schemas = new WeakMap<Type, ActorState>();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly happenings: Happenings,
  ) {}

  /**
   * The committed state of one key, a copy, upcast when it was stored by an older version; undefined when no turn has left one.
   * Typed as the actor's handlers declare it: `Turn<typeof AccountState>`.
   *
   * @throws OptionError for what is no actor class, or none with state, and for what is no key
   * @throws NewerVersionError when it was stored by a newer version
   * @throws InvalidStateError when it does not fit the actor's schema, or cannot be upcast
   */
  async state<A extends object>(
    actor: Type<A>,
    key: string | number,
  ): Promise<StateOf<A> | undefined> {
    const name = nameOf(actor);
    const state = this.stateOf(actor, name);
    const stored = await this.engine.state(name, checkedKey(key));
    return stored && (state.load(stored) as StateOf<A>);
  }

  /**
   * Keys that have a state, each with a copy of it as {@link state} answers it, in the order of the UTF-8 bytes of their names,
   * the same on every store. Fewer than `limit` means that there are no more.
   *
   * @throws OptionError for what is no actor class, or none with state, and for a bad option
   * @throws NewerVersionError, InvalidStateError when one of them cannot be read: see {@link state}
   */
  async states<A extends object>(
    actor: Type<A>,
    options: StateListOptions = {},
  ): Promise<{ key: string; state: StateOf<A> }[]> {
    const name = nameOf(actor);
    const schema = this.stateOf(actor, name);
    const limit = checkedLimit(options, STATES_OPTIONS);
    const { after } = options;
    const page = { limit, ...(after !== undefined && { after: checkedText(after, 'after') }) };
    const found = await this.engine.states(name, page);
    return found.map(({ key, state }) => ({ key, state: schema.load(state) as StateOf<A> }));
  }

  /**
   * What turns of one key have left in its journal, newest first: see `turn.journal`. Empty for a key that never had any, or was
   * forgotten.
   *
   * @param actor its class or its name
   * @throws OptionError for what is neither, for what is no key, and for a bad option
   * @throws UnreadableError for rows that are encrypted with a key that this process does not have
   */
  async journal(
    actor: Type | string,
    key: string | number,
    options: JournalOptions = {},
  ): Promise<JournalRow[]> {
    const limit = checkedLimit(options, JOURNAL_OPTIONS);
    const { before } = options;
    const page = { limit, ...(before !== undefined && { before: checkedRowId(before, 'before') }) };
    const name = nameOf(actor);
    const rows = await this.engine.journal(name, checkedKey(key), page);
    for (const { row } of rows) readable(`journal of ${name} '${key}':`, { data: row });
    return rows;
  }

  /**
   * Keys in whose mailboxes messages stand, the one in work included.
   *
   * @param actor its class or its name
   * @throws OptionError
   */
  async list(actor: Type | string, options: KeyListOptions = {}): Promise<KeyRecord[]> {
    const limit = checkedLimit(options, LIST_OPTIONS);
    const { by = 'age' } = options;
    if (by !== 'age' && by !== 'depth') throw new OptionError('by', "must be 'age' or 'depth'");
    return this.engine.keys(nameOf(actor), { by, limit });
  }

  /**
   * The keys that stopped, sorted, each with the failure that stopped it.
   *
   * @param actor its class or its name
   * @throws OptionError for what is neither
   */
  async quarantined(actor: Type | string): Promise<QuarantinedKey[]> {
    return this.engine.quarantined(nameOf(actor));
  }

  /**
   * Lets a quarantined key go on, with the message that stopped it and then the others in its mailbox. Resolves to false when
   * it is not quarantined.
   *
   * @param actor its class or its name
   * @throws OptionError for what is neither, and for what is no key
   */
  async release(actor: Type | string, key: string | number): Promise<boolean> {
    const [name, text] = [nameOf(actor), checkedKey(key)];
    const isReleased = await this.engine.release(name, text);
    if (isReleased) {
      const details = { what: 'released', actor: name, key: text };
      outsideTurn(() => this.happenings.tell('key', () => details));
    }
    return isReleased;
  }

  private stateOf(actor: Type, name: string): ActorState {
    const known = this.schemas.get(actor);
    if (known) return known;
    const declared = actorOptionsOf(actor)?.state;
    if (!declared) throw new OptionError('actor', `${actor.name} declares no state`);
    const state = toActorState(name, declared, `@Actor ${actor.name}`);
    this.schemas.set(actor, state);
    return state;
  }
}

function nameOf(actor: Type | string): string {
  if (typeof actor === 'string' && ACTOR_NAME.test(actor)) return actor;
  if (typeof actor === 'function' && actorOptionsOf(actor)) return actorNameOf(actor);
  throw new OptionError('actor', 'must be the name of an actor, or a class with @Actor()');
}

/** The limit among options of a list. */
function checkedLimit(options: { limit?: number }, allowed: readonly string[]): number {
  for (const option of Object.keys(options)) {
    if (!allowed.includes(option)) throw new OptionError(option, 'is not an option');
  }
  const { limit = 100 } = options;
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new OptionError('limit', `must be a whole number from 1 to ${MOST}`);
}

/** As the key of a message: a number is its text. */
function checkedKey(key: string | number): string {
  if (typeof key === 'number' && Number.isFinite(key)) return String(key);
  return checkedText(key as string, 'key');
}
