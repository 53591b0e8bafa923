import type { HandlerKind } from './actor.decorators.js';
import type { ActorState } from './actor.state.js';
import type { Delivery } from './engine.js';
import type { JsonObject } from './json.js';
import type { RetryPolicy } from './retry.js';
import type { Stop } from './stop.js';
import type { Turn } from './turn.js';
import type { TurnScope } from './turn.scope.js';

/** Not a getter of each turn's own: V8 makes objects that have one so slowly that it took a quarter of a worker's time (0010). */
class WithSignal {
  readonly #stop: Stop;

  constructor(stop: Stop) {
    this.#stop = stop;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }
}

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
  const turn: Turn = Object.assign(new WithSignal(stop), {
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
    state: loaded as undefined,
    sql: (strings: TemplateStringsArray, ...values: readonly unknown[]) =>
      (scope() as TurnScope).sql(strings, values),
    journal: (row: JsonObject) => (scope() as TurnScope).journal(row),
    forget: () => (scope() as TurnScope).forget(),
    join: <T>(work: () => T): T => (scope() as TurnScope).run(work),
  });
  return kind === 'read' ? Object.freeze(turn) : turn;
}
