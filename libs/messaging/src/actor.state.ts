import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isDeepStrictEqual } from 'node:util';
import { carry, decode, inspect, type Carried } from './codec.js';
import type { StoredState } from './engine.js';
import { InvalidStateError, type Violation } from './messaging.errors.js';
import { parse } from './standard.schema.js';

/** The state of an actor's keys: what a new key has, what a stored one is, what a turn leaves. */
export class ActorState {
  private readonly refuse = (found: readonly Violation[]): Error =>
    new InvalidStateError(this.actor, found);

  constructor(
    private readonly actor: string,
    private readonly schema: StandardSchemaV1,
  ) {
    // A schema that has no state for a new key, or one that cannot be stored, is found at start.
    inspect(this.parse({}), this.refuse);
  }

  /** The state that a turn begins with, its own to change. @throws InvalidStateError when what is stored does not fit the schema */
  load(stored: StoredState | undefined): unknown {
    // A copy: schemas may answer the same default each time, and keys must not share it.
    return structuredClone(this.parse(stored ? decode(stored) : {}));
  }

  /**
   * What is to be stored after a turn; undefined when it changed nothing.
   *
   * @throws InvalidStateError
   */
  seal(state: unknown, before: StoredState | undefined): StoredState | undefined {
    const { data, types } = carry(state, this.refuse);
    this.parse(state);
    if (before && isSame(before, { data, types })) return undefined;
    return {
      revision: before?.revision ?? 0,
      version: 1,
      data,
      ...(types !== undefined && { types }),
    };
  }

  private parse(value: unknown): unknown {
    return parse(`@Actor ${this.actor} state`, this.schema, value, this.refuse);
  }
}

function isSame(a: Carried, b: Carried): boolean {
  // The order of fields is the schema's, not the handler's doing.
  return isDeepStrictEqual(a.data, b.data) && isDeepStrictEqual(a.types, b.types);
}
