import { Logger } from '@nestjs/common';
import { toMilliseconds } from './duration.js';
import type { AttemptRecord, DeadReason, Delivery, Outcome, TurnFunction } from './engine.js';
import type { MessageClass } from './message.js';
import {
  InvalidMessageError,
  LockLostError,
  RejectError,
  RetryLaterError,
} from './messaging.errors.js';
import { DEFAULT_RETRY, retryDelay, type RetryPolicy } from './retry.js';
import type { Turn } from './turn.js';

/** A handler ready to run: its message class (none for occurrences of a schedule) and the bound method. */
export interface Handler {
  readonly message: MessageClass | undefined;
  readonly run: (message: unknown, turn: Turn) => unknown;
}

/** How often a process may die while it works on one message, apart from its attempts. */
export const CRASH_BUDGET = 5;

/** How long a handler has, after its signal aborted, to stop by itself. */
const PATIENCE = 500;

const logger = new Logger('Callsheet');

/** The life of one delivery: the checks before the handler, the handler, and what its end means. */
export function turnRunner(
  handlers: ReadonlyMap<string, Handler>,
  actorRetry: Partial<RetryPolicy>,
): TurnFunction {
  return async (delivery) => {
    const policy = { ...DEFAULT_RETRY, ...actorRetry, ...delivery.envelope.retry };
    try {
      refuseCrashing(delivery);
      refuseExpired(delivery);
      const handler = handlerFor(handlers, delivery);
      const message = open(handler, delivery);
      await perform(handler, message, toTurn(delivery, policy), delivery.signal);
      return { kind: 'done' };
    } catch (error) {
      return report(delivery, policy, decide(delivery, policy, checked(error)));
    }
  };
}

/** Gives a message up without asking the retry policy. */
class GiveUp extends Error {
  override readonly name = 'GiveUp';

  constructor(
    readonly reason: DeadReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The handler was told to stop and its message goes back. */
class HandBack extends Error {}

function refuseCrashing({ crashes }: Delivery): void {
  if (crashes <= CRASH_BUDGET) return;
  throw new GiveUp(
    'crashed',
    `its process died or froze ${crashes} times while working on this message`,
  );
}

/** A deadline is for the first start: what was started in time, or is redriven, may be finished. */
function refuseExpired({ envelope, startedAt, isFirst }: Delivery): void {
  if (!isFirst || envelope.deadline === undefined || startedAt <= envelope.deadline) return;
  throw new GiveUp('expired', `not started before ${new Date(envelope.deadline).toISOString()}`);
}

function handlerFor(handlers: ReadonlyMap<string, Handler>, { envelope }: Delivery): Handler {
  const handler = handlers.get(envelope.type);
  if (handler) return handler;
  throw new GiveUp('unhandled', `actor '${envelope.actor}' has no handler for '${envelope.type}'`);
}

function open(handler: Handler, { envelope }: Delivery): unknown {
  if (!handler.message) return Object.freeze({ ...envelope.data });
  try {
    return new handler.message(envelope.data as never);
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    throw new GiveUp('invalid', error.message, { cause: error });
  }
}

/**
 * Runs the handler. When the process stops it waits for it no longer than {@link PATIENCE}; when the lock is lost it waits to
 * the end, because until then this process must not start the message again.
 */
async function perform(
  handler: Handler,
  message: unknown,
  turn: Turn,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new HandBack();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const abandoned = new Promise<never>((_, reject) => {
    onAbort = () => {
      if (signal.reason instanceof LockLostError) return;
      timer = setTimeout(() => reject(new HandBack()), PATIENCE);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([(async () => handler.run(message, turn))(), abandoned]);
  } catch (error) {
    throw signal.aborted ? new HandBack() : error;
  } finally {
    clearTimeout(timer);
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** A wait that cannot be read is the handler's mistake: it is recorded in place of what was thrown. */
function checked(error: unknown): unknown {
  if (!(error instanceof RetryLaterError)) return error;
  try {
    toMilliseconds(error.options.after, 'RetryLaterError after');
    return error;
  } catch (problem) {
    return problem;
  }
}

function decide(delivery: Delivery, policy: RetryPolicy, error: unknown): Outcome {
  if (error instanceof HandBack) return { kind: 'release' };
  const attempt = toRecord(delivery, error);
  if (error instanceof GiveUp) return { kind: 'dead', reason: error.reason, attempt };
  if (error instanceof RejectError) return { kind: 'dead', reason: 'rejected', attempt };
  if (delivery.attempt >= policy.attempts) return { kind: 'dead', reason: 'exhausted', attempt };
  return { kind: 'retry', delay: waitAfter(error, delivery, policy), attempt };
}

function waitAfter(error: unknown, delivery: Delivery, policy: RetryPolicy): number {
  if (!(error instanceof RetryLaterError)) return retryDelay(policy, delivery.attempt);
  return toMilliseconds(error.options.after, 'RetryLaterError after');
}

function toTurn({ envelope, attempt, occurrence, signal }: Delivery, policy: RetryPolicy): Turn {
  return {
    id: envelope.id,
    attempt,
    attempts: policy.attempts,
    sentAt: new Date(envelope.sentAt),
    occurrence: occurrence === undefined ? undefined : new Date(occurrence),
    headers: envelope.headers,
    signal,
  };
}

function toRecord({ attempt, startedAt }: Delivery, thrown: unknown): AttemptRecord {
  const error = thrown instanceof Error ? thrown : new Error(textOf(thrown));
  const cause = error instanceof GiveUp && error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return {
    attempt,
    startedAt,
    finishedAt: Math.max(startedAt, Date.now()),
    error: {
      name: storable(cause.name, 100),
      message: storable(error.message, 2_000),
      ...(code !== undefined && { code: storable(code, 100) }),
      ...(!(error instanceof GiveUp) && error.stack && { stack: storable(error.stack, 4_000) }),
    },
  };
}

/** Whatever a handler throws must be storable: text without NUL and lone surrogates (cutting can make one), bounded. */
function storable(value: unknown, limit: number): string {
  return textOf(value)
    .slice(0, limit)
    .replaceAll('\0', '\uFFFD')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** An object without prototype, or with a broken `toString`, has no text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a thrown ${typeof value}`;
  }
}

function report(delivery: Delivery, policy: RetryPolicy, outcome: Outcome): Outcome {
  const { type, id } = delivery.envelope;
  if (outcome.kind === 'retry') {
    logger.warn(
      `${type} ${id}: attempt ${delivery.attempt} of ${policy.attempts} failed, again in ${outcome.delay} ms: ${outcome.attempt.error.message}`,
    );
  } else if (outcome.kind === 'dead') {
    logger.error(
      `${type} ${id}: dead letter (${outcome.reason}): ${outcome.attempt.error.message}`,
    );
  } else if (outcome.kind === 'release') {
    logger.warn(`${type} ${id}: handed back unfinished`);
  }
  return outcome;
}
