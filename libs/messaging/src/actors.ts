import { Inject, Injectable } from '@nestjs/common';
import { MAX_DURATION, toMilliseconds, type Duration } from './duration.js';
import { ENGINE, type Engine, type StoreInfo } from './engine.js';
import { fingerprintOf, generateId, type Envelope } from './envelope.js';
import { stringProblem } from './json.js';
import { dataOf, isMessage, metaOf, type MessageInstance } from './message.js';
import { OptionError } from './messaging.errors.js';
import { toPriority, type Priority } from './priority.js';
import { toRetryPolicy, type RetryOptions } from './retry.js';

/** Options of {@link Actors.tell}. */
export interface TellOptions {
  /**
   * Idempotency key, 1 to 200 characters. The same id with the same body is accepted again and changes nothing; with
   * another body it is refused. Remembered for `idempotencyWindow`, and as long as the message is kept.
   */
  id?: string;
  /** Lane or number; default 'normal'. */
  priority?: Priority;
  /** Not before this much time has passed. Not together with `at`. */
  delay?: Duration;
  /** Not before this moment, at most a year ahead. A past one means at once. Not together with `delay`. */
  at?: Date;
  /** Give up if not started this long after it could have been: a dead letter with reason 'expired'. */
  ttl?: Duration;
  /** At most 32 headers; names of letters, digits, `_.-` up to 64, values up to 1,024 characters. */
  headers?: Record<string, string>;
  /** Overrides single fields of the actor's retry policy. */
  retry?: RetryOptions;
}

/** Proof that a message is stored. */
export interface Receipt {
  /** The message's id: the sender's own, else generated. */
  id: string;
  state: 'waiting' | 'delayed';
  /** What the stored message survives. */
  durability: StoreInfo['durability'];
}

/** One element of {@link Actors.tellMany}: a message, or a message with its options. */
export type Telling = MessageInstance | { message: MessageInstance; options: TellOptions };

const FIELDS = new Set<string>([
  'id',
  'priority',
  'delay',
  'at',
  'ttl',
  'headers',
  'retry',
] satisfies (keyof TellOptions)[]);
const HEADER_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** The most messages one {@link Actors.tellMany} takes. */
export const MAX_BATCH = 1_000;

/** Sends messages to actors. Inject it anywhere. */
@Injectable()
export class Actors {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /**
   * Sends a message and forgets it. Resolves when the store has it.
   *
   * @throws OptionError for a bad option
   * @throws IdempotencyConflictError when `id` was used for another body
   * @throws UnknownOutcomeError when the store did not answer: sending again with the same `id` is safe
   */
  async tell(message: MessageInstance, options: TellOptions = {}): Promise<Receipt> {
    const envelope = seal(message, options, Date.now(), '');
    await this.engine.send([envelope]);
    return this.receipt(envelope);
  }

  /**
   * Sends up to 1,000 messages: all of them or none. Receipts come in the order given.
   *
   * @throws OptionError whose path begins with the index of the bad element
   * @throws whatever {@link tell} throws
   */
  async tellMany(tellings: readonly Telling[]): Promise<Receipt[]> {
    if (tellings.length > MAX_BATCH) {
      throw new OptionError('messages', `must be at most ${MAX_BATCH}, got ${tellings.length}`);
    }
    const now = Date.now();
    const envelopes = tellings.map((telling, index) => {
      const { message, options = {} } = isPair(telling) ? telling : { message: telling };
      return seal(message, options, now, `${index}.`);
    });
    if (envelopes.length > 0) await this.engine.send(envelopes);
    return envelopes.map((envelope) => this.receipt(envelope));
  }

  private receipt(envelope: Envelope): Receipt {
    return {
      id: envelope.id,
      state: envelope.dueAt === undefined ? 'waiting' : 'delayed',
      durability: this.engine.store.durability,
    };
  }
}

/** A message may itself have fields of these names. */
function isPair(telling: Telling): telling is { message: MessageInstance; options: TellOptions } {
  return typeof telling === 'object' && telling !== null && !isMessage(telling);
}

/** Message and options become an envelope. `path` prefixes the names in errors. */
function seal(message: MessageInstance, options: TellOptions, now: number, path: string): Envelope {
  const { type, actor, version } = metaOf(message, `${path}message`);
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`${path}options`, 'must be an object');
  }
  for (const field of Object.keys(options)) {
    if (!FIELDS.has(field)) throw new OptionError(`${path}${field}`, 'is not an option');
  }
  const { delay, at, ttl, retry, headers = {} } = options;
  if (delay !== undefined && at !== undefined) {
    throw new OptionError(`${path}at`, 'cannot be combined with delay');
  }
  const wait =
    delay === undefined ? until(at, now, `${path}at`) : toMilliseconds(delay, `${path}delay`);
  const body = {
    type,
    version,
    data: dataOf(message),
    priority: toPriority(options.priority ?? 'normal', `${path}priority`),
    retry: retry === undefined ? undefined : toRetryPolicy(retry, `${path}retry`),
  };
  const life = ttl === undefined ? undefined : toMilliseconds(ttl, `${path}ttl`);
  if (life === 0) throw new OptionError(`${path}ttl`, 'must be longer than 0');
  return {
    ...body,
    actor,
    id: options.id === undefined ? generateId(actor) : checkedId(options.id, `${path}id`),
    sentAt: now,
    ...(wait > 0 && { dueAt: now + wait }),
    ...(life !== undefined && { deadline: now + wait + life }),
    headers: checkedHeaders(headers, `${path}headers`),
    ...(options.id !== undefined && {
      fingerprint: fingerprintOf({ ...body, delay: delay && wait, at: at?.getTime(), ttl: life }),
    }),
  };
}

function until(at: Date | undefined, now: number, path: string): number {
  if (at === undefined) return 0;
  const wait = at instanceof Date ? at.getTime() - now : NaN;
  if (Number.isNaN(wait)) throw new OptionError(path, 'must be a valid Date');
  if (wait > MAX_DURATION) throw new OptionError(path, 'must be within a year');
  return Math.max(0, wait);
}

function checkedId(id: string, path: string): string {
  if (typeof id !== 'string' || id.length < 1 || id.length > 200 || stringProblem(id)) {
    throw new OptionError(path, 'must be a string of 1 to 200 characters');
  }
  return id;
}

function checkedHeaders(headers: Record<string, string>, path: string): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new OptionError(path, 'must be an object');
  }
  const entries = Object.entries(headers);
  if (entries.length > 32) throw new OptionError(path, 'must be at most 32');
  for (const [name, value] of entries) {
    if (!HEADER_NAME.test(name) || name === '__proto__') {
      throw new OptionError(`${path}.${name.slice(0, 64)}`, 'is not a valid header name');
    }
    if (typeof value !== 'string' || value.length > 1_024 || stringProblem(value)) {
      throw new OptionError(`${path}.${name}`, 'must be a string of at most 1024 characters');
    }
  }
  return { ...headers };
}
