import type { StandardSchemaV1 } from '@standard-schema/spec';
import { decode, encode, violations, type Carried } from './codec.js';
import type { Envelope } from './envelope.js';
import { stringProblem, type JsonObject } from './json.js';
import {
  InvalidMessageError,
  InvalidReplyError,
  NewerVersionError,
  OptionError,
  type Violation,
} from './messaging.errors.js';

declare const TYPE: unique symbol;
declare const REPLY: unique symbol;
const DATA = Symbol('callsheet:data');

/** `<actor>.<verb>` or `<topic>.<event>`: the part before the dot names the actor, and so the queue. */
export type MessageType = `${string}.${string}`;

/** Makes data of one version of a message into data of the next. */
export type Upcast = (old: unknown) => unknown;

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
}

const OPTIONS = new Set<string>([
  'key',
  'reply',
  'version',
  'upcast',
  'secret',
] satisfies (keyof MessageOptions)[]);

export const ACTOR_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const VERB = /^[a-z][a-zA-Z0-9-]{0,62}$/;
const LONGEST_KEY = 200;

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
  class Base {
    static readonly meta = meta;

    constructor(data: unknown) {
      const found = violations(data);
      if (found.length > 0) throw new InvalidMessageError(type, found);
      // A copy: what the caller changes later neither travels nor changes the message.
      const carried = JSON.stringify(encode(data));
      fill(this, meta, decode(JSON.parse(carried) as Carried));
      Object.defineProperty(this, DATA, { value: carried });
      Object.freeze(this);
    }
  }
  return Base as never;
}

function describe(type: string, schema: StandardSchemaV1, options: MessageOptions): MessageMeta {
  const [actor = '', verb = '', ...rest] = type.split('.');
  if (!ACTOR_NAME.test(actor) || !VERB.test(verb) || rest.length > 0) {
    throw new OptionError('Message type', `must be '<actor>.<verb>', got '${type}'`);
  }
  for (const option of Object.keys(options)) {
    if (!OPTIONS.has(option)) throw new OptionError(`${type} ${option}`, 'is not an option');
  }
  const { version = 1, upcast = {}, secret = [], key, reply } = options;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new OptionError(`${type} version`, `must be a whole number from 1`);
  }
  for (let old = 1; old < version; old++) {
    if (typeof upcast[old] === 'function') continue;
    throw new OptionError(`${type} upcast.${old}`, `must be a function: version is ${version}`);
  }
  if (key !== undefined && secret.includes(key)) {
    throw new OptionError(
      `${type} secret`,
      `must not name the key, which stands in logs and traces`,
    );
  }
  return {
    type: type as MessageType,
    actor,
    schema,
    version,
    upcast,
    secret,
    ...(key !== undefined && { key }),
    ...(reply && { reply }),
  };
}

/** Gives a new instance its fields. @throws InvalidMessageError */
function fill(instance: object, meta: MessageMeta, data: unknown): void {
  const result = validate(meta.type, meta.schema, data);
  if (result.issues) throw new InvalidMessageError(meta.type, result.issues.map(toViolation));
  Object.assign(instance, deepFreeze(result.value));
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

/** Plain objects and lists; what has a class keeps its own ways. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

/** Whether something was made with the class of a message. */
export function isMessage(value: unknown): value is MessageInstance {
  return typeof value === 'object' && value !== null && DATA in value;
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

/** What a message was made from, as it travels. */
export function carriedOf(message: MessageInstance): Carried {
  return JSON.parse((message as unknown as { [DATA]: string })[DATA]) as Carried;
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
  return new message(upcasted(meta, version, decoded(meta.type, { data, types })) as never);
}

function decoded(type: string, { data, types }: Carried): unknown {
  try {
    return decode({ data, ...(types !== undefined && { types }) });
  } catch (cause) {
    const message = `cannot be decoded: ${(cause as Error).message}`;
    throw new InvalidMessageError(type, [{ path: '', message }], { cause });
  }
}

function upcasted({ type, version, upcast }: MessageMeta, from: number, data: unknown): unknown {
  let value = data;
  for (let old = from; old < version; old++) {
    try {
      value = upcast[old]?.(value);
    } catch (cause) {
      const message = `cannot be made version ${old + 1} from ${old}: ${(cause as Error).message}`;
      throw new InvalidMessageError(type, [{ path: '', message }], { cause });
    }
  }
  return value;
}

/**
 * What a handler answered, as it travels; undefined when its message declares no reply.
 *
 * @throws InvalidReplyError
 */
export function sealReply({ type, reply }: MessageMeta, value: unknown): Carried | undefined {
  if (!reply) return undefined;
  const found = violations(value);
  if (found.length > 0) throw new InvalidReplyError(type, found);
  const result = validate(`${type} reply`, reply, value);
  if (result.issues) throw new InvalidReplyError(type, result.issues.map(toViolation));
  return encode(value);
}

/** A reply as the asker gets it. @throws InvalidReplyError when this process has another idea of the reply */
export function openReply({ type, reply }: MessageMeta, carried: Carried): unknown {
  const value = decode(carried);
  if (!reply) return undefined;
  const result = validate(`${type} reply`, reply, value);
  if (result.issues) throw new InvalidReplyError(type, result.issues.map(toViolation));
  return result.value;
}

function validate(
  what: string,
  schema: StandardSchemaV1,
  data: unknown,
): StandardSchemaV1.Result<unknown> {
  const result = schema['~standard'].validate(data);
  if (!(result instanceof Promise)) return result;
  result.catch(() => undefined);
  throw new OptionError(`${what} schema`, `must validate synchronously`);
}

function toViolation(issue: StandardSchemaV1.Issue): Violation {
  const segments = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return { path: segments.map(String).join('/'), message: issue.message };
}
