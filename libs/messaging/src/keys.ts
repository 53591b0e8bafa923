import { Inject, Injectable, type Type } from '@nestjs/common';
import { actorOptionsOf } from './actor.decorators.js';
import { actorNameOf } from './actor.name.js';
import { toActorState, type ActorState } from './actor.state.js';
import {
  ENGINE,
  type Engine,
  type KeyOrder,
  type KeyRecord,
  type QuarantinedKey,
} from './engine.js';
import { ACTOR_NAME } from './message.js';
import { OptionError } from './messaging.errors.js';
import { checkedText } from './sealing.js';
import type { Turn } from './turn.js';

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

const OPTIONS = new Set<string>(['by', 'limit'] satisfies (keyof KeyListOptions)[]);
const MOST = 1_000;

/**
 * The keys of actors, for operators and controllers: what state they have, which of them have messages, which are
 * quarantined. Works in any process on the store, whether or not it runs the actor. Sees, and does, what is committed: inside a
 * handler it is no part of the turn.
 */
@Injectable()
export class Keys {
  private readonly states = new WeakMap<Type, ActorState>();

  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

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
   * Keys in whose mailboxes messages stand, the one in work included.
   *
   * @param actor its class or its name
   * @throws OptionError
   */
  async list(actor: Type | string, options: KeyListOptions = {}): Promise<KeyRecord[]> {
    for (const option of Object.keys(options)) {
      if (!OPTIONS.has(option)) throw new OptionError(option, 'is not an option');
    }
    const { by = 'age', limit = 100 } = options;
    if (by !== 'age' && by !== 'depth') throw new OptionError('by', "must be 'age' or 'depth'");
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST) {
      throw new OptionError('limit', `must be a whole number from 1 to ${MOST}`);
    }
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
    return this.engine.release(nameOf(actor), checkedKey(key));
  }

  private stateOf(actor: Type, name: string): ActorState {
    const known = this.states.get(actor);
    if (known) return known;
    const declared = actorOptionsOf(actor)?.state;
    if (!declared) throw new OptionError('actor', `${actor.name} declares no state`);
    const state = toActorState(name, declared, `@Actor ${actor.name}`);
    this.states.set(actor, state);
    return state;
  }
}

function nameOf(actor: Type | string): string {
  if (typeof actor === 'string' && ACTOR_NAME.test(actor)) return actor;
  if (typeof actor === 'function' && actorOptionsOf(actor)) return actorNameOf(actor);
  throw new OptionError('actor', 'must be the name of an actor, or a class with @Actor()');
}

/** As the key of a message: a number is its text. */
function checkedKey(key: string | number): string {
  if (typeof key === 'number' && Number.isFinite(key)) return String(key);
  return checkedText(key as string, 'key');
}
