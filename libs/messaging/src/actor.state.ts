import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isDeepStrictEqual } from 'node:util';
import { decode, encode, violations, type Carried } from './codec.js';
import type { StoredState } from './engine.js';
import { InvalidStateError, OptionError, type Violation } from './messaging.errors.js';

/** The state of an actor's keys: what a new key has, what a stored one is, what a turn leaves. */
export class ActorState {
  constructor(
    private readonly actor: string,
    private readonly schema: StandardSchemaV1,
  ) {
    // A schema that has no state for a new key, or one that cannot be stored, is found at start.
    const found = violations(this.parse({}));
    if (found.length > 0) throw new InvalidStateError(actor, found);
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
    const found = violations(state);
    if (found.length > 0) throw new InvalidStateError(this.actor, found);
    this.parse(state);
    const { data, types } = encode(state);
    if (before && isSame(before, { data, types })) return undefined;
    return {
      revision: before?.revision ?? 0,
      version: 1,
      data,
      ...(types !== undefined && { types }),
    };
  }

  private parse(value: unknown): unknown {
    const result = this.schema['~standard'].validate(value);
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new OptionError(`@Actor ${this.actor} state`, 'must validate synchronously');
    }
    if (!result.issues) return result.value;
    throw new InvalidStateError(this.actor, result.issues.map(toViolation));
  }
}

function isSame(a: Carried, b: Carried): boolean {
  // The order of fields is the schema's, not the handler's doing.
  return isDeepStrictEqual(a.data, b.data) && isDeepStrictEqual(a.types, b.types);
}

function toViolation({ path = [], message }: StandardSchemaV1.Issue): Violation {
  const segments = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return { path: segments.join('/'), message };
}
