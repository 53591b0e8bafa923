import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isDeepStrictEqual } from 'node:util';
import { carryWithin, cloneOf, decode, type Carried } from './codec.js';
import type { StoredState } from './engine.js';
import { LIMITS } from './json.js';
import {
  DeclarationError,
  InvalidStateError,
  NewerVersionError,
  OptionError,
  StateTooLargeError,
  type Violation,
} from './messaging.errors.js';
import { parse } from './standard.schema.js';
import { checkVersions, upcastFrom, type Upcast } from './versions.js';

/** The state of an actor's keys: its schema, and how it changes over the years. */
export interface StateOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** What it makes of `{}` is the state of a new key, so give its fields defaults. */
  schema: S;
  /** Version of the state's shape, a whole number from 1. Stored with each state. Default 1. */
  version?: number;
  /** `upcast[n]` makes state of version n + 1 from state of version n; needed for every version below `version`. */
  upcast?: Readonly<Record<number, Upcast>>;
  /**
   * The most that the state of one key may take, bytes of JSON, 1 to 1,048,576. A turn that leaves more fails with
   * StateTooLargeError. Default 262,144 (256 KiB), as of messages.
   */
  maxBytes?: number;
  /**
   * Fields whose values the API masks where it shows the state, or rows of the journal: paths such as `card.number`; one through a list
   * means every element. Stored with each state, so that processes without the actor know them too. Default none.
   */
  secret?: readonly string[];
}

const OPTIONS = new Set<string>([
  'schema',
  'version',
  'upcast',
  'maxBytes',
  'secret',
] satisfies (keyof StateOptions)[]);

const MOST_BYTES = 1024 * 1024;

/** The state of an actor's keys: what a new key has, what a stored one is, what a turn leaves. */
export class ActorState {
  private readonly options: Required<StateOptions>;
  private readonly refuse = (found: readonly Violation[]): Error =>
    new InvalidStateError(this.actor, found);

  /** @throws OptionError, InvalidStateError */
  constructor(
    private readonly actor: string,
    declared: StandardSchemaV1 | StateOptions,
    path = `@Actor ${actor}`,
  ) {
    this.options = toOptions(declared, `${path} state`);
    const { maxBytes } = this.options;
    // A schema that has no state for a new key, or one that cannot be stored, is found at start.
    carryWithin(this.parse({}), maxBytes, this.refuse, (size) => {
      return new OptionError(
        `${path} state maxBytes`,
        `is ${maxBytes}, but the state of a new key already takes ${size} bytes`,
      );
    });
  }

  /**
   * The state that a turn begins with, its own to change: upcast when it was stored by an older version.
   *
   * @throws NewerVersionError when it was stored by a newer version
   * @throws InvalidStateError when it cannot be upcast, or does not fit the schema
   */
  load(stored: StoredState | undefined): unknown {
    // A copy: schemas may answer the same default each time, and keys must not share it.
    return cloneOf(this.parse(stored ? this.open(stored) : {}));
  }

  /**
   * What is to be stored after a turn; undefined when it changed nothing. What an older version has stored counts as changed.
   *
   * @throws InvalidStateError, StateTooLargeError
   */
  seal(state: unknown, before: StoredState | undefined, key: string): StoredState | undefined {
    const { version, maxBytes, secret } = this.options;
    const { data, types } = carryWithin(
      state,
      maxBytes,
      this.refuse,
      (size) => new StateTooLargeError(this.actor, key, size, maxBytes),
    );
    this.parse(state);
    const isKnown = isDeepStrictEqual(before?.secret ?? [], secret);
    if (isKnown && before?.version === version && isSame(before, { data, types })) return undefined;
    return {
      revision: before?.revision ?? 0,
      version,
      data,
      ...(types !== undefined && { types }),
      ...(secret.length > 0 && { secret }),
    };
  }

  private open(stored: StoredState): unknown {
    const { version } = this.options;
    if (stored.version > version) {
      throw new NewerVersionError(`state of ${this.actor}`, stored.version, version);
    }
    const decoded = this.decode(stored);
    if (stored.version === version) return decoded;
    const old = upcastFrom(stored.version, decoded, this.options, (problem, cause) =>
      this.invalid(problem, cause),
    );
    // What an upcast made may be anything; that it became too large is for the turn that stores it.
    carryWithin(old, Infinity, this.refuse, () => this.refuse([]));
    return old;
  }

  private decode(stored: StoredState): unknown {
    try {
      return decode(stored);
    } catch (cause) {
      throw this.invalid(`cannot be decoded: ${(cause as Error).message}`, cause);
    }
  }

  private invalid(message: string, cause: unknown): InvalidStateError {
    const options = cause === undefined ? {} : { cause };
    return new InvalidStateError(this.actor, [{ path: '', message }], options);
  }

  private parse(value: unknown): unknown {
    return parse(`@Actor ${this.actor} state`, this.options.schema, value, this.refuse);
  }
}

/**
 * The state that an actor declares.
 *
 * @param name of the actor
 * @param path names the actor in errors
 * @throws OptionError for a bad option; DeclarationError when the schema has no state for a new key
 */
export function toActorState(
  name: string,
  declared: StandardSchemaV1 | StateOptions,
  path: string,
): ActorState {
  try {
    return new ActorState(name, declared, path);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw new DeclarationError(
      `${path} state: a new key has the state that the schema makes of {}, so give its fields defaults (${(error as Error).message})`,
      { cause: error },
    );
  }
}

/** Schemas of some libraries are functions. */
function isSchema(value: unknown): value is StandardSchemaV1 {
  return typeof (value as StandardSchemaV1 | undefined)?.['~standard']?.validate === 'function';
}

function toOptions(declared: StandardSchemaV1 | StateOptions, path: string) {
  const given = isSchema(declared) ? { schema: declared } : declared;
  if (typeof given !== 'object' || given === null || !isSchema(given.schema)) {
    throw new OptionError(path, 'must be a Standard Schema, or { schema, version, upcast }');
  }
  for (const option of Object.keys(given)) {
    if (!OPTIONS.has(option)) throw new OptionError(`${path} ${option}`, 'is not an option');
  }
  const { schema, version = 1, upcast = {}, maxBytes = LIMITS.bytes, secret = [] } = given;
  checkVersions(path, { version, upcast });
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > MOST_BYTES) {
    throw new OptionError(`${path} maxBytes`, `must be a whole number from 1 to ${MOST_BYTES}`);
  }
  if (!Array.isArray(secret) || !secret.every((field) => typeof field === 'string')) {
    throw new OptionError(`${path} secret`, 'must be a list of names of fields');
  }
  return { schema, version, upcast: { ...upcast }, maxBytes, secret: [...secret] };
}

function isSame(a: Carried, b: Carried): boolean {
  // The order of fields is the schema's, not the handler's doing.
  return isDeepStrictEqual(a.data, b.data) && isDeepStrictEqual(a.types, b.types);
}
