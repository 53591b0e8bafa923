/** Base of every error that Callsheet throws. `code` is stable and safe to switch on; the message says what to do. */
export abstract class CallsheetError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

// ---- what the caller can mend

/** An option, here `path`, has a value that is not allowed. Thrown where the option is given: at start or at the call. */
export class OptionError extends CallsheetError {
  readonly code = 'invalid_option';

  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path} ${problem}`);
  }
}

/** One thing wrong with a message: where (`/` separated, empty for the whole) and what. */
export interface Violation {
  path: string;
  message: string;
}

function sentence(violations: readonly Violation[]): string {
  return violations.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
}

/** The data of a message does not satisfy its schema, or cannot be carried. Nothing was sent. */
export class InvalidMessageError extends CallsheetError {
  readonly code: string = 'invalid_message';

  constructor(
    readonly type: string,
    readonly violations: readonly Violation[],
    options?: ErrorOptions,
  ) {
    super(`${type}: ${sentence(violations)}`, options);
  }
}

/** What a handler answered does not satisfy the reply that its message declares, or cannot be carried. The turn fails. */
export class InvalidReplyError extends CallsheetError {
  readonly code = 'invalid_reply';

  constructor(
    readonly type: string,
    readonly violations: readonly Violation[],
  ) {
    super(`reply to ${type}: ${sentence(violations)}`);
  }
}

/** A message, or the state of a key, is of a version that this process does not know yet: it is for a newer one. */
export class NewerVersionError extends CallsheetError {
  readonly code = 'newer_version';

  constructor(
    /** Type of the message, or `state of <actor>`. */
    readonly type: string,
    readonly version: number,
    /** The newest version known here. */
    readonly known: number,
  ) {
    super(`${type} is of version ${version}, and this process knows only up to ${known}`);
  }
}

/** No message of this type is registered. */
export class UnknownMessageError extends CallsheetError {
  readonly code = 'unknown_message';

  constructor(readonly type: string) {
    super(
      `no message of type '${type}' is registered; add its class to CallsheetModule.forRoot({ messages })`,
    );
  }
}

/** The id was used before with another body. Nothing was sent. */
export class IdempotencyConflictError extends CallsheetError {
  readonly code = 'idempotency_conflict';

  constructor(readonly id: string) {
    super(
      `the id '${id}' was already used for a message with another body; choose a new id, or send the same body again`,
    );
  }
}

/** A message with this id is in work, so it cannot be replaced. Nothing was sent. */
export class MessageActiveError extends CallsheetError {
  readonly code = 'message_active';

  constructor(readonly id: string) {
    super(`the message '${id}' is in work and cannot be replaced; send again when it has ended`);
  }
}

/** The mailbox of this key holds as many messages as it may. Nothing was sent. */
export class MailboxFullError extends CallsheetError {
  readonly code = 'mailbox_full';

  constructor(
    readonly actor: string,
    readonly key: string,
    readonly max: number,
  ) {
    super(`the mailbox of ${actor} '${key}' is full: ${max} messages wait; send again later`);
  }
}

/** A statement of `turn.sql` failed when the turn was to be committed. Nothing of the turn is stored; `cause` is the database's error. */
export class TurnSqlError extends CallsheetError {
  readonly code = 'turn_sql_failed';

  constructor(statement: string, cause: Error) {
    super(`the SQL of the turn failed: ${cause.message}, in: ${statement.trim().slice(0, 200)}`, {
      cause,
    });
  }
}

/** Actors, handlers or schedules are declared wrongly. Thrown at start. */
export class DeclarationError extends CallsheetError {
  readonly code = 'invalid_declaration';
}

/** Nobody receives an event. */
export class UnroutedError extends CallsheetError {
  readonly code = 'unrouted';

  constructor(readonly topic: string) {
    super(`nobody receives events of '${topic}'`);
  }
}

// ---- what the operator can mend

/** The store cannot be used: wrong URL, unreachable, too old or unsafely configured. Thrown at start. */
export class StoreError extends CallsheetError {
  readonly code: string = 'store_unusable';
}

/** The store has little memory left, and keeps that for turns: they end, and make room. Nothing was sent; send again later. */
export class StoreFullError extends StoreError {
  override readonly code = 'store_full';
}

/**
 * The store did not answer in time while a message was sent: it may or may not be stored.
 * Sending again with the same `id` is always safe; a message sent without one may then be stored twice.
 */
export class UnknownOutcomeError extends CallsheetError {
  readonly code = 'unknown_outcome';
}

// ---- what a handler is told

/** Reason of a turn's aborted signal: the process is stopping, and the message will be handed back. */
export class StoppingError extends CallsheetError {
  readonly code = 'stopping';

  constructor() {
    super('the process is stopping; the message will be handed back');
  }
}

/** Reason of a turn's aborted signal: somebody cancelled the message. Also what `ask` rejects with then. */
export class CancelledError extends CallsheetError {
  readonly code = 'cancelled';

  constructor(readonly id: string) {
    super(`the message '${id}' was cancelled`);
  }
}

/** Reason of a turn's aborted signal, and the error of the attempt: the handler took longer than its `timeout`. */
export class TurnTimeoutError extends CallsheetError {
  readonly code = 'turn_timeout';

  constructor(readonly timeout: number) {
    super(`the handler took longer than its timeout of ${timeout} ms`);
  }
}

/** Reason of a turn's aborted signal: the lock on the message is lost, and another process may be working on it. */
export class LockLostError extends CallsheetError {
  readonly code = 'lock_lost';

  constructor() {
    super('the lock on the message is lost; another process may be working on it');
  }
}

// ---- what a handler says

/** Thrown by a handler: this message can never succeed. It becomes a dead letter at once, whatever attempts are left. */
export class RejectError extends CallsheetError {
  readonly code: string = 'rejected';
}

/** Thrown by a handler: try again, not before `after`. Uses an attempt like any failure. */
export class RetryLaterError extends CallsheetError {
  readonly code = 'retry_later';

  constructor(
    message: string,
    readonly options: { after: import('./duration.js').Duration; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
  }

  /**
   * From the `Retry-After` header of an HTTP answer (RFC 9110, section 10.2.3): seconds, or a date. Undefined when there is
   * none or it cannot be read: then throw your own error, and the retry policy decides.
   *
   * @param options `now`, epoch milliseconds, from which a date is counted; `most`, the longest wait that is obeyed, ms. Default a year
   */
  static fromRetryAfter(
    message: string,
    header: string | null | undefined,
    { now = Date.now(), most = 365 * 86_400_000 }: { now?: number; most?: number } = {},
  ): RetryLaterError | undefined {
    const text = header?.trim() ?? '';
    // A date of HTTP ends so; what else Date.parse takes for a date, '-5' say, is none.
    const date = text.endsWith('GMT') ? Date.parse(text) - now : NaN;
    const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : date;
    if (!Number.isFinite(wait)) return undefined;
    return new RetryLaterError(message, { after: Math.min(Math.max(0, wait), most) });
  }
}

/**
 * Thrown by a handler: not yet; come again, not before `after`. Uses no attempt, and is no failure: the message is as if it had not
 * been given out, so its time to live still counts; give it one if it must not wait for ever. Later messages of its key wait.
 */
export class PostponeError extends CallsheetError {
  readonly code = 'postponed';

  constructor(
    message: string,
    readonly options: { after: import('./duration.js').Duration },
  ) {
    super(message);
  }
}

/** Thrown by a handler: stop this key and keep its mailbox until somebody has looked. Without a key: a dead letter. */
export class QuarantineError extends CallsheetError {
  readonly code: string = 'quarantined';
}

/** Thrown by a handler: what this actor needs is away; stop taking its messages for a while. Uses no attempt. */
export class PauseError extends CallsheetError {
  readonly code: string = 'paused';
}

// ---- what a turn refuses

/** A send, or another effect, of a turn that is over: its handler has ended, failed or timed out. Nothing was sent. */
export class TurnEndedError extends CallsheetError {
  readonly code = 'turn_ended';

  constructor(readonly id: string) {
    super(
      `the turn of '${id}' is over, so nothing can join it: await what the handler sends before it returns; what a handler only begins, a timer say, begins in outsideTurn(...)`,
    );
  }
}

/** What a turn cannot do: ask, send from a `@Read` handler, send from a batch without saying for which message. */
export class TurnUsageError extends CallsheetError {
  readonly code = 'turn_usage';
}

/**
 * The state of a key does not satisfy the actor's schema, cannot be carried, or cannot be made from the older version that is
 * stored. The turn fails; supervision decides, as of any error.
 */
export class InvalidStateError extends CallsheetError {
  readonly code = 'invalid_state';

  constructor(
    readonly actor: string,
    readonly violations: readonly Violation[],
    options?: ErrorOptions,
  ) {
    super(`state of ${actor}: ${sentence(violations)}`, options);
  }
}

/** What the store holds is encrypted, and not with a key of this process, or is not what was stored there. Nothing was changed. */
export class UnreadableError extends CallsheetError {
  readonly code = 'unreadable';

  constructor(
    /** What cannot be read. */
    readonly subject: string,
    readonly problem: string,
  ) {
    super(`${subject} ${problem}`);
  }
}

/**
 * A handler left more state than its actor's `maxBytes`. Nothing of the turn is stored. Trying again would not help, so the
 * message is a dead letter at once, unless the actor's `on` says otherwise.
 */
export class StateTooLargeError extends CallsheetError {
  readonly code = 'state_too_large';

  constructor(
    readonly actor: string,
    readonly key: string,
    /** Bytes of JSON. */
    readonly size: number,
    readonly limit: number,
  ) {
    super(
      `the state of ${actor} '${key}' would take ${size} bytes, and at most ${limit} are allowed: keep less in it, spread it over more keys, or raise state.maxBytes`,
    );
  }
}

// ---- what an asker is told

/**
 * No reply came in time. The outcome is unknown: the message may still be handled. Asking again with the same id is safe
 * and waits for the same reply.
 */
export class AskTimeoutError extends CallsheetError {
  readonly code = 'ask_timeout';

  constructor(
    readonly id: string,
    readonly timeout: number,
    options?: ErrorOptions,
  ) {
    super(
      `no reply to '${id}' within ${timeout} ms: its outcome is unknown; ask again with the same id to wait on`,
      options,
    );
  }
}

/** The message that was asked became a dead letter. `error` is what its handler threw, by name, code and message. */
export class AskFailedError extends CallsheetError {
  readonly code = 'ask_failed';

  constructor(
    readonly id: string,
    readonly reason: string,
    readonly error: { readonly name: string; readonly message: string; readonly code?: string },
  ) {
    super(error.message);
  }
}
