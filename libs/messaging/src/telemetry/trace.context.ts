import {
  createTraceState,
  isSpanContextValid,
  trace,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

/** Trace context as an envelope carries it: the header values of W3C Trace Context. */
export interface TraceContext {
  traceparent?: string;
  tracestate?: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/** What of a span travels; nothing when it is no real one, because tracing is off. */
export function carriedBy(span: Span): TraceContext {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return {};
  const { traceId, spanId, traceFlags } = context;
  const state = context.traceState?.serialize();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ...(state && { tracestate: state }),
  };
}

/** The span that a message was sent from; undefined when it carries none, or one that cannot be read. */
export function originOf({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate && { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(context) ? context : undefined;
}

/** The trace that this code runs in, else that of the message. */
export function traceIdOf(envelope: TraceContext): string | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return active.traceId;
  return originOf(envelope)?.traceId;
}
