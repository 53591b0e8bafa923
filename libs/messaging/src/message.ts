import type { StandardSchemaV1 } from '@standard-schema/spec';
import { jsonViolations, type JsonObject } from './json.js';
import { InvalidMessageError, OptionError, type Violation } from './messaging.errors.js';

declare const TYPE: unique symbol;
const DATA = Symbol('callsheet:data');

/** `<actor>.<verb>`: the part before the dot names the actor, and so the queue. */
export type MessageType = `${string}.${string}`;

/** What is known of a message class. */
export interface MessageMeta {
  readonly type: MessageType;
  /** Name of the actor that handles it, and of its queue. */
  readonly actor: string;
  readonly schema: StandardSchemaV1;
  /** Version of the payload's shape; travels with each message. */
  readonly version: number;
}

/** A message: frozen, valid, with the fields of its schema's output. */
export type MessageInstance<
  T extends MessageType = MessageType,
  Output extends object = object,
> = Readonly<Output> & { readonly [TYPE]: T };

/** A class made with {@link Message}. */
export interface MessageClass<M extends MessageInstance = MessageInstance, Input = never> {
  new (data: Input): M;
  readonly meta: MessageMeta;
}

export interface MessageOptions {
  /** Version of the payload's shape, a whole number from 1. Default 1. */
  version?: number;
}

export const ACTOR_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const VERB = /^[a-z][a-zA-Z0-9-]{0,62}$/;

/**
 * Declares a message: a typed command whose payload is checked by a Standard Schema (zod, valibot, arktype, ...).
 *
 *     export class SendEmail extends Message('email.send', z.object({ to: z.email(), text: z.string() })) {}
 *     new SendEmail({ to: 'ada@example.org', text: 'Hello' })
 *
 * The constructor validates: an instance that exists is valid, and it is frozen. What travels is the data as given (the
 * schema's input); the handler gets it parsed anew (the schema's output), so defaults and coercions happen once on each side.
 *
 * @param type `<actor>.<verb>`: lower-case actor (letters, digits, dashes), camelCase verb
 * @param schema a synchronous Standard Schema whose output is an object
 * @throws OptionError at declaration for a bad type or version
 * @throws InvalidMessageError from the constructor for data that does not satisfy the schema or is not JSON
 */
export function Message<const T extends MessageType, S extends StandardSchemaV1<unknown, object>>(
  type: T,
  schema: S,
  options: MessageOptions = {},
): MessageClass<
  MessageInstance<T, StandardSchemaV1.InferOutput<S>>,
  StandardSchemaV1.InferInput<S>
> {
  const [actor = '', verb = '', ...rest] = type.split('.');
  if (!ACTOR_NAME.test(actor) || !VERB.test(verb) || rest.length > 0) {
    throw new OptionError('Message type', `must be '<actor>.<verb>', got '${type}'`);
  }
  const version = options.version ?? 1;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new OptionError(`${type} version`, `must be a whole number from 1`);
  }
  class Base {
    static readonly meta: MessageMeta = { type, actor, schema, version };

    constructor(data: unknown) {
      const violations = jsonViolations(data);
      if (violations.length > 0) throw new InvalidMessageError(type, violations);
      // A copy: what the caller changes later neither travels nor changes the message.
      const text = JSON.stringify(data);
      Object.assign(this, parse(type, schema, JSON.parse(text)));
      Object.defineProperty(this, DATA, { value: text });
      Object.freeze(this);
    }
  }
  return Base as unknown as ReturnType<typeof Message<T, S>>;
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

/** The data a message was made from: what travels. */
export function dataOf(message: MessageInstance): JsonObject {
  return JSON.parse((message as unknown as { [DATA]: string })[DATA]) as JsonObject;
}

function parse(type: string, schema: StandardSchemaV1, data: unknown): object {
  const result = schema['~standard'].validate(data);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new OptionError(`${type} schema`, `must validate synchronously`);
  }
  if (result.issues) throw new InvalidMessageError(type, result.issues.map(toViolation));
  return result.value as object;
}

function toViolation(issue: StandardSchemaV1.Issue): Violation {
  const segments = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return { path: segments.map(String).join('/'), message: issue.message };
}
