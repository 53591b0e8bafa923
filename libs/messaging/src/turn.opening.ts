import type { HandlerKind } from './actor.decorators.js';
import type { ActorState } from './actor.state.js';
import type { Delivery } from './engine.js';
import type { RetryPolicy } from './retry.js';
import type { Stop } from './stop.js';
import type { Turn } from './turn.js';
import type { TurnScope } from './turn.scope.js';

/**
 * The turn that a handler gets.
 *
 * @param stop told for every reason that the handler should stop
 * @throws NewerVersionError when the stored state is of a newer version
 * @throws InvalidStateError when it does not fit the actor's schema, or cannot be upcast
 */
export function openTurn(
  delivery: Delivery,
  policy: Pick<RetryPolicy, 'attempts'>,
  stop: Stop,
  state: ActorState | undefined,
  kind: HandlerKind,
  scope: () => TurnScope | undefined,
): Turn {
  const { envelope, attempt, occurrence, startedAt } = delivery;
  const loaded = state && envelope.key !== undefined ? state.load(delivery.state) : undefined;
  const turn: Turn = {
    id: envelope.id,
    type: envelope.type,
    topic: envelope.topic ?? envelope.type,
    key: envelope.key,
    attempt,
    attempts: policy.attempts,
    priority: envelope.priority,
    sentAt: new Date(envelope.sentAt),
    now: new Date(startedAt),
    deadline: envelope.deadline === undefined ? undefined : new Date(envelope.deadline),
    occurrence: occurrence === undefined ? undefined : new Date(occurrence),
    headers: envelope.headers,
    tenant: envelope.tenant,
    correlationId: envelope.correlationId ?? envelope.id,
    causationId: envelope.causationId,
    traceparent: envelope.traceparent,
    get signal() {
      return stop.signal;
    },
    state: loaded as undefined,
    sql: (strings, ...values) => (scope() as TurnScope).sql(strings, values),
    journal: (row) => (scope() as TurnScope).journal(row),
    forget: () => (scope() as TurnScope).forget(),
    join: (work) => (scope() as TurnScope).run(work),
  };
  return kind === 'read' ? Object.freeze(turn) : turn;
}
