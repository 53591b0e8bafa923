import { Logger } from '@nestjs/common';
import type { ActorBreaker } from './actor.breaker.js';
import type { HandlerKind } from './actor.decorators.js';
import type { ActorState } from './actor.state.js';
import type { Batch } from './batch.js';
import type { Checkpoint } from './checkpoint.js';
import type { Clock } from './clock.js';
import { toMilliseconds } from './duration.js';
import { unreadable } from './encryption/encrypted.js';
import { endNotices } from './end.notice.js';
import type { AttemptRecord, Delivery, Effects, Outcome, TurnFunction } from './engine.js';
import { isCopyOf, type Envelope } from './envelope.js';
import { isGuardDenial } from './guard.denial.js';
import { KEEP } from './journal.js';
import { openMessage, sealReply, type MessageClass, type MessageMeta } from './message.js';
import {
  CancelledError,
  InvalidMessageError,
  LockLostError,
  NewerVersionError,
  PostponeError,
  RetryLaterError,
  StoreError,
  TurnTimeoutError,
  UnknownOutcomeError,
} from './messaging.errors.js';
import type { Observer } from './observer.js';
import { DEFAULT_RETRY, retryDelay, type ActorRetryPolicy, type RetryPolicy } from './retry.js';
import type { TopicTrie } from './routing/topic.js';
import { Stop } from './stop.js';
import { directiveFor, type Supervision } from './supervision.js';
import { isGuilty, type Suspects } from './suspects.js';
import { masker } from './telemetry/redaction.js';
import { report } from './telemetry/turn.log.js';
import { GiveUp, HandBack, toAttempt } from './turn.failure.js';
import type { Turn } from './turn.js';
import { openTurn } from './turn.opening.js';
import { TurnScope } from './turn.scope.js';

/** A handler ready to run. */
export interface Handler {
  readonly kind: HandlerKind;
  /** None for occurrences of a schedule. */
  readonly message: MessageClass | undefined;
  /** Makes of a delivery what the handler gets, where there is no message class. */
  readonly open?: (delivery: Delivery) => unknown;
  readonly run: (message: unknown, turn: Turn) => unknown;
  /** The longest a turn may take, ms. */
  readonly timeout?: number;
  /** Gathers its messages, and runs the method on several. */
  readonly batch?: Batch;
}

/** One of a pattern; of several the first one declared has the event. */
export interface PlacedHandler {
  readonly place: number;
  readonly handler: Handler;
}

/** What the turns of one actor need. */
export interface Turns {
  /** By type. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** What is known of messages for whose type there is no handler: which of their fields are secret. Default: nothing. */
  readonly metaOf?: (type: string) => MessageMeta | undefined;
  /** By topic, for events without a handler for their type. Default: none. */
  readonly patterns?: TopicTrie<PlacedHandler>;
  readonly retry: ActorRetryPolicy;
  readonly supervision: Supervision;
  readonly state?: ActorState;
  /** How many rows of the journal of a key are kept. Default 1,000. */
  readonly journal?: { readonly keep: number };
  readonly breaker?: ActorBreaker;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Observer;
  /** One for all actors of the process. Default: each crash is the fault of all that were in work. */
  readonly suspects?: Suspects;
  readonly checkpoint?: Checkpoint;
  /** Whether the store commits SQL. */
  readonly hasSql?: boolean;
  /** Messages that are stored in one step with a dead letter. */
  readonly mourn?: (delivery: Delivery, outcome: Dead) => Promise<readonly Envelope[]>;
}

type Dead = Extract<Outcome, { kind: 'dead' }>;
type Retry = Extract<Outcome, { kind: 'retry' }>;

/** How long a handler has, after its signal aborted, to stop by itself, ms. */
const PATIENCE = 500;

const logger = new Logger('Callsheet');

/** How soon what is for a newer worker is offered again: to one, if there is one, ms. */
const NOT_YET = 5_000;

/** How long a copy of an event for which there is no handler here is left for a worker of another release, ms. */
const OTHERS_TURN = 600_000;

/** The life of one delivery: the checks before the handler, the handler, and what its end means. */
export function turnRunner(turns: Turns): TurnFunction {
  const { observer, suspects } = turns;
  const run: TurnFunction = (delivery) => observer.turn(delivery, () => live(delivery, turns));
  return suspects ? (delivery) => suspects.turn(delivery, () => run(delivery)) : run;
}

async function live(delivery: Delivery, turns: Turns): Promise<Outcome> {
  const policy = { ...DEFAULT_RETRY, ...turns.retry, ...delivery.envelope.retry };
  const probe = turns.breaker?.enter();
  const fail = (error: unknown): Promise<Outcome> => end(delivery, policy, error, turns, probe);
  let scope: TurnScope | undefined;
  try {
    refuseCrashing(delivery, turns);
    refuseCancelled(delivery);
    refuseExpired(delivery);
    refuseUnreadable(delivery);
    const handler = handlerFor(turns, delivery);
    const message = open(handler, delivery);
    // One of its own only where the handler can be told to stop for a reason of its own.
    const stop = handler.timeout === undefined ? delivery.stop : new Stop();
    const turn = forNewer(() =>
      openTurn(delivery, policy, stop, turns.state, handler.kind, () => scope),
    );
    scope = new TurnScope(
      delivery,
      turn,
      handler.kind === 'read',
      turns.checkpoint,
      handler.batch !== undefined,
      turns.hasSql,
    );
    if (turns.checkpoint) await turns.checkpoint('start', delivery);
    const result = await perform(handler, message, scope, stop, turns.clock);
    if (turns.checkpoint) await turns.checkpoint('handled', delivery);
    scope.close();
    const effects = effectsOf(handler, result, scope, turns);
    turns.breaker?.pass(probe);
    return effects ? { kind: 'done', effects, refused: fail } : { kind: 'done' };
  } catch (error) {
    scope?.close();
    return fail(error);
  }
}

function refuseCrashing(delivery: Delivery, { suspects }: Turns): void {
  if (!isGuilty(delivery, suspects !== undefined)) return;
  throw new GiveUp(
    'crashed',
    `its process died or froze ${delivery.crashes} times while working on this message`,
  );
}

/** Cancelled while an earlier attempt was in work. */
function refuseCancelled({ isCancelled, envelope }: Delivery): void {
  if (isCancelled) throw new CancelledError(envelope.id);
}

/** A deadline is for the first start: what was started in time, or is redriven, may be finished. */
function refuseExpired({ envelope, startedAt, isFirst }: Delivery): void {
  if (!isFirst || envelope.deadline === undefined || startedAt <= envelope.deadline) return;
  throw new GiveUp('expired', `not started before ${new Date(envelope.deadline).toISOString()}`);
}

/** Still encrypted: without its key, or because it is not what was sent. Handlers must not take that for data. */
function refuseUnreadable({ envelope }: Delivery): void {
  const problem = unreadable(envelope);
  if (problem === undefined) return;
  const cause = new InvalidMessageError(envelope.type, [{ path: '', message: problem }]);
  throw new GiveUp('invalid', cause.message, { cause });
}

function handlerFor({ handlers, patterns, clock }: Turns, { envelope }: Delivery): Handler {
  const isCopy = isCopyOf(envelope);
  const handler =
    handlers.get(envelope.type) ??
    (isCopy
      ? patterns?.match(envelope.topic ?? envelope.type).sort(byPlace)[0]?.handler
      : undefined);
  if (handler) return handler;
  // Of two releases at once the other one may have it.
  const since = envelope.dueAt ?? envelope.sentAt;
  if (isCopy && clock.now() - since < OTHERS_TURN) throw new HandBack(NOT_YET);
  throw new GiveUp('unhandled', `actor '${envelope.actor}' has no handler for '${envelope.type}'`);
}

function byPlace(a: PlacedHandler, b: PlacedHandler): number {
  return a.place - b.place;
}

/** Invalid data never gets better. */
function open({ message, open: own }: Handler, delivery: Delivery): unknown {
  const { envelope } = delivery;
  if (own) return own(delivery);
  if (!message) return Object.freeze({ ...envelope.data });
  try {
    return forNewer(() => openMessage(message, envelope));
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    throw new GiveUp('invalid', error.message, { cause: error });
  }
}

/** A message of a newer version, or one whose key has state of a newer version, is left for a newer worker. */
function forNewer<T>(opening: () => T): T {
  try {
    return opening();
  } catch (error) {
    throw error instanceof NewerVersionError ? new HandBack(NOT_YET) : error;
  }
}

/**
 * Runs the handler. When the process stops, the message is cancelled or the time is up, it waits for it no longer than
 * {@link PATIENCE}; when the lock is lost it waits to the end, because until then this process must not start the message
 * again.
 */
function perform(
  handler: Handler,
  message: unknown,
  scope: TurnScope,
  stop: Stop,
  clock: Clock,
): Promise<unknown> {
  const outer = scope.delivery.stop;
  if (outer.aborted) throw toldToStop(outer);
  const cancels: (() => void)[] = [];
  const ended = (): void => {
    for (const cancel of cancels) cancel();
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      ended();
      if (outer.aborted) reject(toldToStop(outer));
      else reject(stop.reason ?? error);
    };
    const abandon = (reason: Error): void => {
      stop.abort(reason);
      if (reason instanceof LockLostError) return;
      cancels.push(clock.after(PATIENCE, () => fail(reason)));
    };
    outer.listen(abandon);
    cancels.push(() => outer.listen());
    const { timeout } = handler;
    if (timeout !== undefined) {
      cancels.push(clock.after(timeout, () => abandon(new TurnTimeoutError(timeout))));
    }
    begun(handler, message, scope).then((result) => {
      ended();
      resolve(result);
    }, fail);
  });
}

function begun({ batch, run }: Handler, message: unknown, scope: TurnScope): Promise<unknown> {
  try {
    if (batch) return batch.add(message, scope.turn);
    return Promise.resolve(scope.run(() => run(message, scope.turn)));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function toldToStop({ reason }: Stop): Error {
  return reason instanceof CancelledError ? reason : new HandBack();
}

/** What the turn leaves; undefined when it is nothing. */
function effectsOf(
  { kind, message, batch }: Handler,
  result: unknown,
  scope: TurnScope,
  { state: actorState, journal, clock }: Turns,
): Effects | undefined {
  const { statements, rows, signals, isForgotten, turn, delivery } = scope;
  // Of subscribers one is asked only for an event that declares it.
  const hasReply = message && !batch && (kind !== 'on' || message.meta.reply !== undefined);
  const reply = hasReply ? sealReply(message.meta, result) : undefined;
  const { key } = turn;
  const state =
    actorState && kind !== 'read' && key !== undefined && !isForgotten
      ? actorState.seal(turn.state, delivery.state, key)
      : undefined;
  const sql = statements.length > 0 ? statements : undefined;
  const answer = reply || kind === 'occurrence' ? result : undefined;
  const notices = endNotices(delivery, { kind: 'done', answer, finishedAt: clock.now() });
  const sends = notices.length > 0 ? [...scope.sends, ...notices] : scope.sends;
  const isNothing =
    sends.length + rows.length + signals.length === 0 && !isForgotten && !state && !reply && !sql;
  if (isNothing) return undefined;
  return {
    sends,
    ...(state && { state }),
    ...(isForgotten && { forget: { revision: delivery.state?.revision ?? 0 } }),
    ...(rows.length > 0 && !isForgotten && { journal: { rows, keep: journal?.keep ?? KEEP } }),
    ...(reply && { reply }),
    ...(sql && { sql }),
    ...(signals.length > 0 && { signals }),
  };
}

/** Decides, and reports. Never rejects: whatever goes wrong here, the message is tried again. */
async function end(
  delivery: Delivery,
  policy: RetryPolicy & ActorRetryPolicy,
  thrown: unknown,
  turns: Turns,
  probe: number | undefined,
): Promise<Outcome> {
  const { envelope } = delivery;
  const meta = turns.handlers.get(envelope.type)?.message?.meta ?? turns.metaOf?.(envelope.type);
  const mask = masker(meta, envelope.data);
  const toRecord = (error: unknown) => toAttempt(delivery, error, turns.clock.now(), mask);
  let outcome: Outcome;
  try {
    outcome = decide(delivery, policy, thrown, toRecord, turns, probe);
  } catch (fault) {
    outcome = { kind: 'retry', delay: DEFAULT_RETRY.delay, attempt: toRecord(fault) };
  }
  if (outcome.kind === 'retry') outcome = planned(delivery, outcome, policy.attempts);
  if (outcome.kind === 'dead') outcome = await mourned(delivery, outcome, turns);
  outcome = told(delivery, outcome, turns);
  // What is postponed goes its usual way.
  if (thrown instanceof PostponeError && outcome.kind === 'release') return outcome;
  report(delivery, outcome, policy.attempts);
  return outcome;
}

/** Nobody else knows the policy of the actor: what it means for the message stands in the attempt. */
function planned({ attempt }: Delivery, outcome: Retry, attempts: number): Outcome {
  const at = outcome.attempt.finishedAt + outcome.delay;
  const retry = { at, left: Math.max(1, attempts - attempt) };
  return { ...outcome, attempt: { ...outcome.attempt, retry } };
}

/** Whom to tell of a death is in the store: while that does not answer, the message comes again later. */
async function mourned(delivery: Delivery, outcome: Dead, { mourn }: Turns): Promise<Outcome> {
  try {
    const sends = (await mourn?.(delivery, outcome)) ?? [];
    return sends.length > 0 ? { ...outcome, sends } : outcome;
  } catch (error) {
    if (error instanceof StoreError || error instanceof UnknownOutcomeError) {
      return { kind: 'release', delay: NOT_YET };
    }
    logger.error(`${delivery.envelope.id}: nobody is told that it died: ${String(error)}`);
    return outcome;
  }
}

/** Whom the sender named is told of an end. */
function told(delivery: Delivery, outcome: Outcome, { clock }: Turns): Outcome {
  if (!delivery.envelope.notify) return outcome;
  switch (outcome.kind) {
    case 'dead':
      return { ...outcome, sends: [...(outcome.sends ?? []), ...endNotices(delivery, outcome)] };
    case 'quarantine':
      return {
        ...outcome,
        sends: endNotices(delivery, { ...outcome, kind: 'dead', reason: 'quarantined' }),
      };
    case 'cancelled':
      return {
        ...outcome,
        sends: endNotices(delivery, { kind: 'cancelled', finishedAt: clock.now() }),
      };
    default:
      return outcome;
  }
}

function decide(
  delivery: Delivery,
  policy: RetryPolicy & ActorRetryPolicy,
  error: unknown,
  toRecord: (error: unknown) => AttemptRecord,
  turns: Turns,
  probe: number | undefined,
): Outcome {
  const { supervision, breaker } = turns;
  if (error instanceof HandBack) {
    return { kind: 'release', ...(error.delay !== undefined && { delay: error.delay }) };
  }
  if (error instanceof CancelledError) return { kind: 'cancelled' };
  if (error instanceof PostponeError) {
    try {
      const delay = Math.max(1, toMilliseconds(error.options.after, 'PostponeError after'));
      return { kind: 'release', delay };
    } catch (problem) {
      return decide(delivery, policy, problem, toRecord, turns, probe);
    }
  }
  const attempt = toRecord(error);
  if (error instanceof GiveUp) return { kind: 'dead', reason: error.reason, attempt };
  const directive = isGuardDenial(error) ? 'reject' : directiveFor(error, supervision);
  // Behind the others: the next to be tried is another message.
  if (directive === 'pause' && breaker) {
    return { kind: 'release', delay: breaker.trip(attempt.error.message, probe) };
  }
  breaker?.pass(probe);
  if (directive === 'reject') return { kind: 'dead', reason: 'rejected', attempt };
  if (directive === 'quarantine') {
    const { type, key } = delivery.envelope;
    // A read stands in no mailbox that could be stopped.
    const isRead = turns.handlers.get(type)?.kind === 'read';
    if (key !== undefined && !isRead) return { kind: 'quarantine', attempt };
    return { kind: 'dead', reason: 'quarantined', attempt };
  }
  if (delivery.attempt >= policy.attempts) return { kind: 'dead', reason: 'exhausted', attempt };
  try {
    return { kind: 'retry', delay: waitAfter(error, delivery, policy, turns), attempt };
  } catch (problem) {
    // A wait that cannot be read is the handler's or the policy's mistake: it is recorded in place of what was thrown.
    const delay = retryDelay(policy, delivery.attempt, turns.random());
    return { kind: 'retry', delay, attempt: toRecord(problem) };
  }
}

/** @throws OptionError, and what the actor's own function throws */
function waitAfter(
  error: unknown,
  { attempt, envelope }: Delivery,
  policy: RetryPolicy & ActorRetryPolicy,
  { random }: Turns,
): number {
  if (error instanceof RetryLaterError) {
    return toMilliseconds(error.options.after, 'RetryLaterError after');
  }
  const { backoff } = policy;
  // A sender that gave its own delay wants that one.
  const own =
    backoff && envelope.retry?.delay === undefined ? () => backoff(attempt, error) : undefined;
  return retryDelay(policy, attempt, random(), own);
}
