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

/** The data of a message does not satisfy its schema, or cannot be carried. Nothing was sent. */
export class InvalidMessageError extends CallsheetError {
  readonly code: string = 'invalid_message';

  constructor(
    readonly type: string,
    readonly violations: readonly Violation[],
  ) {
    super(
      `${type}: ${violations.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')}`,
    );
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

/** Actors, handlers or schedules are declared wrongly. Thrown at start. */
export class DeclarationError extends CallsheetError {
  readonly code = 'invalid_declaration';
}

// ---- what the operator can mend

/** The store cannot be used: wrong URL, unreachable, too old or unsafely configured. Thrown at start. */
export class StoreError extends CallsheetError {
  readonly code = 'store_unusable';
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
}
