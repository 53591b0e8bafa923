import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type TracerDelegator,
} from '@opentelemetry/api';
import type { AttemptRecord, Delivery, Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { Observer } from '../observer.js';
import { carriedBy, originOf } from './trace.context.js';

/** How traces are cut. */
export interface TracingOptions {
  /**
   * When a turn's span is a child of the span that sent its message, in one trace with it: 'asked', when somebody waits for
   * the reply; 'always', which makes one trace of a whole chain, however long its delays and retries take. Otherwise it
   * begins a trace of its own. It links to the sender's span in any case. Default 'asked'.
   */
  parent?: 'asked' | 'always';
}

/**
 * OpenTelemetry spans by its conventions for messaging, through whatever SDK the application has registered; without one
 * it does nothing, only hands on the trace context that messages bring. A span's name ends in the message's type where the
 * conventions have the destination, which is an attribute.
 *
 * - `send <type>` (producer): around the storing of messages outside of a turn, one span for all of a batch;
 * - `create <type>` (producer): one for each message that joins a turn; it is stored when, and if, the turn commits;
 * - `process <type>` (consumer): around each turn, active in the handler, so that spans made there are its children;
 *   a failed attempt is an error with the exception;
 * - `settle <type>`: only when the store refuses what a turn that went well wants to leave.
 *
 * Nothing of a message's data and headers is in any span.
 */
export class TracingObserver implements Observer {
  private readonly tracer = trace.getTracer('callsheet');
  private readonly parent: 'asked' | 'always';

  constructor({ parent = 'asked' }: TracingOptions = {}) {
    this.parent = parent;
  }

  async send<T>(envelopes: readonly Envelope[], run: () => Promise<T>, by?: Delivery): Promise<T> {
    if (isOff()) {
      if (by) handOn(by.envelope, envelopes);
      return run();
    }
    const spans = by ? this.created(envelopes) : [this.sending(envelopes)];
    try {
      return await run();
    } catch (error) {
      for (const span of spans) fail(span, error as Error);
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  }

  turn(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome> {
    return isOff() ? run() : this.traced(delivery, run);
  }

  private async traced(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome> {
    const { envelope, attempt } = delivery;
    const origin = originOf(envelope);
    const isChild = this.parent === 'always' || envelope.replyTo !== undefined;
    // Not what is active here: that can be a sender's, on a store in the same process, and is never this message's own.
    const base = origin && isChild ? trace.setSpanContext(ROOT_CONTEXT, origin) : ROOT_CONTEXT;
    const span = this.tracer.startSpan(
      `process ${envelope.type}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: { ...attributesOf('process', envelope), 'callsheet.attempt': attempt },
        ...(origin && { links: [{ context: origin }] }),
      },
      base,
    );
    const inside = trace.setSpan(base, span);
    try {
      const outcome = await context.with(inside, run);
      conclude(span, outcome);
      if (outcome.kind !== 'done' || !outcome.refused) return outcome;
      const { refused } = outcome;
      return {
        ...outcome,
        refused: (error) =>
          context.with(inside, () => this.settle(envelope, error, async () => refused(error))),
      };
    } finally {
      span.end();
    }
  }

  private sending(envelopes: readonly Envelope[]): Span {
    const span = this.produce('send', envelopes);
    for (const envelope of envelopes) Object.assign(envelope, carriedBy(span));
    return span;
  }

  private created(envelopes: readonly Envelope[]): Span[] {
    return envelopes.map((envelope) => {
      const span = this.produce('create', [envelope]);
      Object.assign(envelope, carriedBy(span));
      return span;
    });
  }

  private produce(operation: 'send' | 'create', envelopes: readonly Envelope[]): Span {
    const [first, ...others] = envelopes;
    const type = others.every((each) => each.type === first?.type) ? ` ${first?.type}` : '';
    return this.tracer.startSpan(operation + type, {
      kind: SpanKind.PRODUCER,
      attributes:
        first && others.length === 0
          ? attributesOf(operation, first)
          : attributesOfBatch(operation, envelopes),
    });
  }

  private async settle(
    envelope: Envelope,
    error: Error,
    decide: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const span = this.tracer.startSpan(`settle ${envelope.type}`, {
      attributes: attributesOf('settle', envelope),
    });
    try {
      const outcome = await decide();
      conclude(span, outcome);
      if (!('attempt' in outcome)) fail(span, error);
      return outcome;
    } finally {
      span.end();
    }
  }
}

/** Whether no SDK is registered: then nothing is made that nobody gets. Should the API lose this, it is only slower. */
function isOff(): boolean {
  const provider = trace.getTracerProvider() as Partial<TracerDelegator>;
  return !!provider.getDelegateTracer && provider.getDelegateTracer('callsheet') === undefined;
}

/** What a process without tracing gets, it passes on. */
function handOn({ traceparent, tracestate }: Envelope, envelopes: readonly Envelope[]): void {
  if (traceparent === undefined) return;
  for (const envelope of envelopes) {
    Object.assign(envelope, { traceparent, ...(tracestate !== undefined && { tracestate }) });
  }
}

type Operation = 'create' | 'send' | 'process' | 'settle';

function attributesOf(operation: Operation, envelope: Envelope): Attributes {
  const { id, type, actor, key, tenant, correlationId = id } = envelope;
  return {
    'messaging.system': 'callsheet',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': actor,
    'messaging.message.id': id,
    'messaging.message.conversation_id': correlationId,
    'callsheet.message.type': type,
    ...(key !== undefined && { 'callsheet.message.key': key }),
    ...(tenant !== undefined && { 'callsheet.tenant': tenant }),
  };
}

/** Only what is true of each message. */
function attributesOfBatch(operation: Operation, envelopes: readonly Envelope[]): Attributes {
  const actors = new Set(envelopes.map(({ actor }) => actor));
  const types = new Set(envelopes.map(({ type }) => type));
  return {
    'messaging.system': 'callsheet',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.batch.message_count': envelopes.length,
    ...(actors.size === 1 && { 'messaging.destination.name': [...actors][0] }),
    ...(types.size === 1 && { 'callsheet.message.type': [...types][0] }),
  };
}

/** The error of an attempt is free of secrets; what was thrown is not. */
function conclude(span: Span, outcome: Outcome): void {
  if (!span.isRecording()) return;
  span.setAttribute('callsheet.outcome', outcome.kind);
  if (outcome.kind === 'dead') span.setAttribute('callsheet.dead.reason', outcome.reason);
  if (outcome.kind === 'retry') span.setAttribute('callsheet.retry.delay', outcome.delay);
  if ('attempt' in outcome) fail(span, outcome.attempt.error);
}

function fail(span: Span, { name, message, stack }: AttemptRecord['error']): void {
  span.setAttribute('error.type', name);
  span.recordException({ name, message, ...(stack !== undefined && { stack }) });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
