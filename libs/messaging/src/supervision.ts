import {
  OptionError,
  PauseError,
  QuarantineError,
  RejectError,
  StateTooLargeError,
} from './messaging.errors.js';

/** What an error of a handler means for its message. */
export type Directive =
  /** Tried again by the retry policy; later messages of the same key wait. A dead letter when the attempts are used up. */
  | 'retry'
  /** A dead letter at once. Later messages of the same key go on. */
  | 'reject'
  /** The key stops, its mailbox is kept, until somebody releases it. Without a key: a dead letter. */
  | 'quarantine'
  /**
   * The actor stops taking messages in this process for a while, then tries one: if that ends well, it goes on. The message
   * goes back without using an attempt.
   */
  | 'pause';

/** An error class and its directive. The first pair whose class the error is an instance of counts. */
export type Supervision = readonly (readonly [ErrorClass, Directive])[];

/** A class of errors, abstract ones too. */
export type ErrorClass = abstract new (...args: never[]) => Error;

const DIRECTIVES = new Set<unknown>([
  'retry',
  'reject',
  'quarantine',
  'pause',
] satisfies Directive[]);

/** What Callsheet's own errors mean; an actor's pairs come first. */
const BUILT_IN: Supervision = [
  [RejectError, 'reject'],
  [QuarantineError, 'quarantine'],
  [PauseError, 'pause'],
  [StateTooLargeError, 'reject'],
];

/** Checks an actor's pairs. Throws OptionError naming the bad one. */
export function toSupervision(pairs: Supervision, path: string): Supervision {
  if (!Array.isArray(pairs))
    throw new OptionError(path, 'must be a list of [ErrorClass, directive]');
  for (const [index, pair] of (pairs as Supervision).entries()) {
    const [type, directive] = Array.isArray(pair) ? pair : [];
    if (typeof type !== 'function' || !isErrorClass(type)) {
      throw new OptionError(`${path}.${index}`, 'must begin with an error class');
    }
    if (!DIRECTIVES.has(directive)) {
      throw new OptionError(
        `${path}.${index}`,
        `must end with one of ${[...DIRECTIVES].join(', ')}, got '${String(directive)}'`,
      );
    }
  }
  return pairs;
}

/** What `error` means to an actor with these pairs. */
export function directiveFor(error: unknown, pairs: Supervision): Directive {
  for (const [type, directive] of [...pairs, ...BUILT_IN]) {
    if (error instanceof type) return directive;
  }
  return 'retry';
}

/** A function without prototype, an arrow say, would fail at the first error. */
function isErrorClass(type: object): boolean {
  return type === Error || (type as { prototype?: unknown }).prototype instanceof Error;
}
