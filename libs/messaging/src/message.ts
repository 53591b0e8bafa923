import type { StandardSchemaV1 } from '@standard-schema/spec';
import { carry, cloneOf, decode, encode, inspect, type Carried } from './codec.js';
import type { Envelope } from './envelope.js';
import { stringProblem, type JsonObject } from './json.js';
import {
  InvalidMessageError,
  InvalidReplyError,
  NewerVersionError,
  OptionError,
  type Violation,
} from './messaging.errors.js';
import { checkSearch } from './search.term.js';
import { parse } from './standard.schema.js';
import { checkVersions, upcastFrom, type Upcast } from './versions.js';

declare const TYPE: unique symbol;
declare const REPLY: unique symbol;

/** `<actor>.<verb>` or `<topic>.<event>`: the part before the dot names the actor, and so the queue. */
export type MessageType = `${string}.${string}`;

/** What is known of a message class. */
export interface MessageMeta<Key extends string = string> {
  readonly type: MessageType;
  /** Name of the actor that handles it, and of its queue. */
  readonly actor: string;
  readonly schema: StandardSchemaV1;
  /** Version of the payload's shape; travels with each message. */
  readonly version: number;
  /** Field that says which instance of the actor a message is for. */
  readonly key?: Key;
  /** What its handler answers. */
  readonly reply?: StandardSchemaV1;
  /** By version: what makes the next version of it. */
  readonly upcast: Readonly<Record<number, Upcast>>;
  /** Fields that must not be read in logs, traces and errors. */
  readonly secret: readonly string[];
  /** Fields by whose values messages are found. */
  readonly search: readonly string[];
}

/** A message: frozen, valid, with the fields of its schema's output. */
export type MessageInstance<
  T extends MessageType = MessageType,
  Output extends object = object,
  ReplyIn = unknown,
  ReplyOut = unknown,
> = Readonly<Output> & {
  readonly [TYPE]: T;
  readonly [REPLY]: { readonly given: ReplyIn; readonly got: ReplyOut };
};

/** What whoever asks a message gets; undefined when it declares no reply. */
export type ReplyOf<M> = M extends { readonly [REPLY]: { readonly got: infer R } } ? R : never;

/** What a handler of a message returns, when it declares a reply. */
export type ReplyInput<M> = M extends { readonly [REPLY]: { readonly given: infer R } } ? R : never;

/** A class made with {@link Message}. */
export interface MessageClass<
  M extends MessageInstance = MessageInstance,
  Input = never,
  Key extends string = string,
> {
  new (data: Input): M;
  readonly meta: MessageMeta<Key>;
}

/** Names of the fields that can be a key: those with text or numbers. */
type KeyOf<Output> = {
  [F in keyof Output & string]-?: Output[F] extends string | number ? F : never;
}[keyof Output & string];

/** Options of {@link Message}. */
export interface MessageOptions<
  Output extends object = object,
  Key extends KeyOf<Output> = KeyOf<Output>,
  Reply extends StandardSchemaV1 = StandardSchemaV1,
> {
  /**
   * Field that says which instance of the actor a message is for: those of one key are handled one by one, in the order
   * sent. Its value must be text of 1 to 200 characters, or a finite number.
   */
  key?: Key;
  /** Schema of what its handler answers. */
  reply?: Reply;
  /** Version of the payload's shape, a whole number from 1. Default 1. */
  version?: number;
  /** `upcast[n]` makes data of version n + 1 from data of version n; needed for every version below `version`. */
  upcast?: Readonly<Record<number, Upcast>>;
  /** Fields whose values are masked in logs, traces and the errors of attempts. */
  secret?: readonly ((keyof Output & string) | `${keyof Output & string}.${string}`)[];
  /**
   * Fields by whose values messages of this type are found: text, numbers, booleans, and lists of such, as they travel (a `Date` in
   * ISO 8601). At most 8, none of them secret; of a message 16 values at most, the first of each field before others. Stores keep a digest of
   * each. Default none.
   */
  search?: readonly (keyof Output & string)[];
}

const OPTIONS = new Set<string>([
  'key',
  'reply',
  'version',
  'upcast',
  'secret',
  'search',
] satisfies (keyof MessageOptions)[]);

export const ACTOR_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const VERB = /^[a-z][a-zA-Z0-9-]{0,62}$/;
const LONGEST_KEY = 200;

/** Whether this is `<actor>.<verb>`, as {@link Message} takes it. */
export function isMessageType(type: unknown): type is MessageType {
  if (typeof type !== 'string') return false;
  const [actor = '', verb = '', ...rest] = type.split('.');
  return ACTOR_NAME.test(actor) && VERB.test(verb) && rest.length === 0;
}

/**
 * Declares a message: a typed command or event whose payload is checked by a Standard Schema (zod, valibot, arktype, ...).
 *
 *     export class SendEmail extends Message('email.send', z.object({ to: z.email(), text: z.string() })) {}
 *     new SendEmail({ to: 'ada@example.org', text: 'Hello' })
 *
 * The constructor validates: an instance that exists is valid, and it is frozen. What travels is the data as given (the
 * schema's input); the handler gets it parsed anew (the schema's output), so defaults and coercions happen once on each side.
 *
 * @param type `<actor>.<verb>`: lower-case actor (letters, digits, dashes), camelCase verb
 * @param schema a synchronous Standard Schema whose output is an object
 * @throws OptionError at declaration for a bad type or option
 * @throws InvalidMessageError from the constructor for data that does not satisfy the schema or cannot be carried
 */
export function Message<
  const T extends MessageType,
  S extends StandardSchemaV1<unknown, object>,
  const Key extends KeyOf<StandardSchemaV1.InferOutput<S>> = never,
  Reply extends StandardSchemaV1 = StandardSchemaV1<undefined, undefined>,
>(
  type: T,
  schema: S,
  options: MessageOptions<StandardSchemaV1.InferOutput<S>, Key, Reply> = {},
): MessageClass<
  MessageInstance<
    T,
    StandardSchemaV1.InferOutput<S>,
    StandardSchemaV1.InferInput<Reply>,
    StandardSchemaV1.InferOutput<Reply>
  >,
  StandardSchemaV1.InferInput<S>,
  Key
> {
  const meta = describe(type, schema, options as unknown as MessageOptions);
  class Base extends Made {
    static readonly meta = meta;

    constructor(data: unknown) {
      const source = sourceOf(meta.type, data);
      super(source);
      fill(this, meta, source.value);
      Object.freeze(this);
    }
  }
  return Base as never;
}

/** What a message is made from: the data as it came, or as it was carried here. */
interface Source {
  /** For the schema alone, which may change it. */
  readonly value: unknown;
  carried(): Carried;
}

/** What only messages are. */
class Made {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  static has(value: object): value is Made {
    return #source in value;
  }

  static carriedOf(made: Made): Carried {
    return made.#source.carried();
  }
}

/** The message that is being opened: its data has been looked at, so its constructor need not do that again. */
let opened: Source | undefined;

function sourceOf(type: string, data: unknown): Source {
  const known = opened;
  opened = undefined;
  // A class may have a constructor that changes the data; then it is as good as new.
  if (known && known.value === data) return known;
  // Copies: what the caller or the schema changes later neither travels nor changes the message.
  const { copy } = inspect(data, (found) => new InvalidMessageError(type, found));
  return { value: cloneOf(copy), carried: () => encode(copy) };
}

function describe(type: string, schema: StandardSchemaV1, options: MessageOptions): MessageMeta {
  const [actor = ''] = type.split('.');
  if (!isMessageType(type)) {
    throw new OptionError('Message type', `must be '<actor>.<verb>', got '${String(type)}'`);
  }
  for (const option of Object.keys(options)) {
    if (!OPTIONS.has(option)) throw new OptionError(`${type} ${option}`, 'is not an option');
  }
  const { version = 1, upcast = {}, secret = [], search = [], key, reply } = options;
  checkSchema(schema, `${type} schema`);
  if (reply !== undefined) checkSchema(reply, `${type} reply`);
  checkVersions(type, { version, upcast });
  if (key !== undefined && typeof key !== 'string') {
    throw new OptionError(`${type} key`, 'must be the name of a field');
  }
  if (!Array.isArray(secret) || !secret.every((field) => typeof field === 'string')) {
    throw new OptionError(`${type} secret`, 'must be a list of names of fields');
  }
  checkSearch(type, search, secret);
  if (key !== undefined && secret.includes(key)) {
    throw new OptionError(
      `${type} secret`,
      `must not name the key, which stands in logs and traces`,
    );
  }
  return Object.freeze({
    type: type as MessageType,
    actor,
    schema,
    version,
    upcast: Object.freeze({ ...upcast }),
    secret: Object.freeze([...secret]),
    search: Object.freeze([...search]),
    ...(key !== undefined && { key }),
    ...(reply && { reply }),
  });
}

function checkSchema(schema: StandardSchemaV1, path: string): void {
  if (typeof schema?.['~standard']?.validate === 'function') return;
  throw new OptionError(path, 'must be a Standard Schema: of zod, valibot, arktype, ...');
}

/** Gives a new instance its fields. @throws InvalidMessageError */
function fill(instance: object, meta: MessageMeta, data: unknown): void {
  const refuse = (found: readonly Violation[]) => new InvalidMessageError(meta.type, found);
  Object.assign(instance, deepFreeze(parse(`${meta.type} schema`, meta.schema, data, refuse)));
  const problem = meta.key === undefined ? undefined : keyProblem(instance, meta.key);
  if (problem === undefined) return;
  throw new InvalidMessageError(meta.type, [{ path: meta.key ?? '', message: problem }]);
}

function keyProblem(instance: object, field: string): string | undefined {
  const key = (instance as Record<string, unknown>)[field];
  if (typeof key === 'number' && Number.isFinite(key)) return undefined;
  if (typeof key !== 'string' || key.length < 1 || key.length > LONGEST_KEY) {
    return `is the key: it must be text of 1 to ${LONGEST_KEY} characters, or a finite number`;
  }
  return stringProblem(key);
}

/** Plain objects and lists, in those that are frozen too; what has a class keeps its own ways. */
function deepFreeze(value: unknown, seen?: Set<unknown>): unknown {
  if (typeof value !== 'object' || value === null || seen?.has(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) return value;
  let known = seen;
  for (const child of Object.values(value)) {
    if (typeof child !== 'object' || child === null) continue;
    known ??= new Set();
    known.add(value);
    deepFreeze(child, known);
  }
  return Object.freeze(value);
}

/** Whether something was made with the class of a message. */
export function isMessage(value: unknown): value is MessageInstance {
  return typeof value === 'object' && value !== null && Made.has(value);
}

/**
 * The declaration behind a message instance.
 *
 * @param path names the message in the error
 * @throws OptionError for anything else
 */
export function metaOf(message: unknown, path: string): MessageMeta {
  if (!isMessage(message)) {
    throw new OptionError(path, `must be an instance of a class made with Message(...)`);
  }
  return (message.constructor as unknown as { meta: MessageMeta }).meta;
}

/** What a message was made from, as it travels: a new copy each time. */
export function carriedOf(message: MessageInstance): Carried {
  return Made.carriedOf(message as unknown as Made);
}

/** The data a message was made from, as JSON. */
export function dataOf(message: MessageInstance): JsonObject {
  return carriedOf(message).data as JsonObject;
}

/** Which instance of its actor a message is for; undefined when it declares no key. */
export function keyOf(message: MessageInstance): string | undefined {
  const { key } = metaOf(message, 'message');
  return key === undefined ? undefined : String((message as never)[key]);
}

/**
 * A message out of its envelope: decoded, upcast to the version that this class has, validated.
 *
 * @throws NewerVersionError when it is of a version that this class does not know yet
 * @throws InvalidMessageError
 */
export function openMessage(
  message: MessageClass,
  { version, data, types }: Pick<Envelope, 'version' | 'data' | 'types'>,
): MessageInstance {
  const { meta } = message;
  if (version > meta.version) throw new NewerVersionError(meta.type, version, meta.version);
  const carried: Carried = types === undefined ? { data } : { data, types };
  if (version !== meta.version) {
    const old = opening(meta.type, () => decode(carried));
    const refuse = (problem: string, cause?: unknown) => invalid(meta.type, problem, cause);
    return new message(upcastFrom(version, old, meta, refuse) as never);
  }
  const decoded = types === undefined ? data : opening(meta.type, () => decode(carried));
  const { copy } = inspect(decoded, (found) => new InvalidMessageError(meta.type, found));
  // Seldom asked for: a message that was opened is handled, and hardly ever sent on.
  opened = { value: copy, carried: () => encode(decode(carried)) };
  try {
    return new message(copy as never);
  } finally {
    opened = undefined;
  }
}

function opening<T>(type: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw invalid(type, `cannot be decoded: ${reasonOf(cause)}`, cause);
  }
}

function invalid(type: string, message: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(
    type,
    [{ path: '', message }],
    cause === undefined ? {} : { cause },
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * What a handler answered, as it travels; undefined when its message declares no reply.
 *
 * @throws InvalidReplyError
 */
export function sealReply({ type, reply }: MessageMeta, value: unknown): Carried | undefined {
  if (!reply) return undefined;
  const refuse = (found: readonly Violation[]) => new InvalidReplyError(type, found);
  const carried = carry(value, refuse);
  parse(`${type} reply schema`, reply, value, refuse);
  return carried;
}

/** A reply as the asker gets it. @throws InvalidReplyError when this process has another idea of the reply */
export function openReply({ type, reply }: MessageMeta, carried: Carried): unknown {
  if (!reply) return undefined;
  let value: unknown;
  try {
    value = decode(carried);
  } catch (cause) {
    const message = `cannot be decoded: ${reasonOf(cause)}`;
    throw new InvalidReplyError(type, [{ path: '', message }]);
  }
  return parse(`${type} reply schema`, reply, value, (found) => new InvalidReplyError(type, found));
}
