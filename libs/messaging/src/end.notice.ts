import type { AttemptRecord, DeadReason, Delivery } from './engine.js';
import { generateId, type Envelope } from './envelope.js';
import { plainJson } from './journal.js';
import type { Json, JsonObject } from './json.js';
import { LANES } from './priority.js';

/** The most bytes of JSON that a notice repeats of an answer. */
const RESULT_BYTES = 4_096;

/**
 * What is told of a message that ended through a turn to whom its sender named (`Actors.forward` with `notify`): data of a
 * message that is stored in the same commit, once for each end. One that is redriven and ends again is told again. One that
 * is cancelled before it starts has no turn, so nothing is told of it.
 */
export interface EndNotice {
  /** Key that the sender named; absent when it named none. */
  readonly key?: string;
  /** Id of the message that ended. */
  readonly id: string;
  /** Handled; a dead letter; cancelled while it was in work. */
  readonly outcome: 'done' | 'dead' | 'cancelled';
  /** Its nominal time, epoch milliseconds, when it was an occurrence of a schedule. */
  readonly occurrence?: number;
  /** When its last attempt started and ended, epoch milliseconds. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Number of its last attempt, from 1. */
  readonly attempts: number;
  /** Why it is dead. */
  readonly reason?: DeadReason;
  /** What it died of, with secrets masked as in the attempts of a dead letter. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
  /**
   * What the handler answered, of a message with a reply and of an occurrence: if it is plain JSON of at most 4,096 bytes, else
   * absent.
   */
  readonly result?: Json;
}

/** How a message ended. */
export type End =
  | { kind: 'done'; answer?: unknown; finishedAt: number }
  | { kind: 'dead'; reason: DeadReason; attempt: AttemptRecord }
  | { kind: 'cancelled'; finishedAt: number };

/** What tells of the end of a delivery's message; none when nobody is to be told. */
export function endNotices(delivery: Delivery, end: End): Envelope[] {
  const { notify, correlationId, id, traceparent, tracestate, tenant } = delivery.envelope;
  if (!notify) return [];
  const [actor = ''] = notify.type.split('.');
  const { key, notBefore = 0 } = notify;
  const data = noticeOf(delivery, end);
  return [
    {
      id: generateId(actor),
      type: notify.type,
      version: 1,
      actor,
      data: (key === undefined ? data : { key, ...data }) as unknown as JsonObject,
      priority: LANES.normal,
      sentAt: data.finishedAt,
      ...(notBefore > data.finishedAt && { dueAt: notBefore }),
      headers: {},
      ...(key !== undefined && { key }),
      correlationId: correlationId ?? id,
      causationId: id,
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
      ...(tenant !== undefined && { tenant }),
    },
  ];
}

function noticeOf({ envelope, attempt, startedAt, occurrence }: Delivery, end: End): EndNotice {
  const finishedAt = end.kind === 'dead' ? end.attempt.finishedAt : end.finishedAt;
  return {
    id: envelope.id,
    outcome: end.kind,
    ...(occurrence !== undefined && { occurrence }),
    startedAt,
    finishedAt: Math.max(startedAt, finishedAt),
    attempts: attempt,
    ...(end.kind === 'dead' && deathOf(end)),
    ...(end.kind === 'done' && resultOf(end.answer)),
  };
}

function deathOf({ reason, attempt }: Extract<End, { kind: 'dead' }>): Partial<EndNotice> {
  const { name, message, code } = attempt.error;
  return { reason, error: { name, message, ...(code !== undefined && { code }) } };
}

function resultOf(answer: unknown): { result?: Json } {
  const plain = plainJson(answer, RESULT_BYTES);
  return 'json' in plain ? { result: plain.json } : {};
}
