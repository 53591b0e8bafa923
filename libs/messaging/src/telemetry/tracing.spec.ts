import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';
import { TracingObserver } from './tracing.js';
import { testDelivery } from '../../../../test/support/test.delivery.js';

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
});
afterAll(() => {
  trace.disable();
  context.disable();
});
beforeEach(() => exporter.reset());

const DONE: Outcome = { kind: 'done' };
const ATTEMPT = {
  attempt: 1,
  startedAt: 2_000,
  finishedAt: 3_000,
  error: { name: 'TypeError', message: 'no', stack: 'TypeError: no\n    at x.ts:1:1' },
};

function envelopeOf(type: Envelope['type'], more: Partial<Envelope> = {}): Envelope {
  const [actor = ''] = type.split('.');
  return {
    id: `${actor}-1`,
    type,
    version: 1,
    actor,
    data: {},
    priority: 100,
    sentAt: 1_000,
    headers: {},
    ...more,
  };
}

function delivery(envelope: Envelope): Delivery {
  // As it comes out of a store.
  return testDelivery({ envelope: JSON.parse(JSON.stringify(envelope)) });
}

const stored = async (): Promise<void> => undefined;

function spans(): ReadableSpan[] {
  return exporter.getFinishedSpans();
}

function span(name: string): ReadableSpan {
  const found = spans().filter((each) => each.name === name);
  if (found.length !== 1) throw new Error(`${found.length} spans '${name}'`);
  return found[0]!;
}

const idOf = (each: ReadableSpan): string => each.spanContext().spanId;
const traceOf = (each: ReadableSpan): string => each.spanContext().traceId;
const linksOf = (each: ReadableSpan): string[] => each.links.map((link) => link.context.spanId);

/** A request that sends to a shop, which sends to a mailer, each through its envelope. */
async function chain(observer: TracingObserver, more: Partial<Envelope> = {}): Promise<void> {
  const order = envelopeOf('shop.order', more);
  const mail = envelopeOf('mail.send');
  await trace.getTracer('test').startActiveSpan('request', async (request) => {
    await observer.send([order], stored);
    request.end();
  });
  const first = delivery(order);
  await observer.turn(first, async () => {
    await trace.getTracer('test').startActiveSpan('user work', async (work) => {
      await observer.send([mail], stored, first);
      work.end();
    });
    return DONE;
  });
  await observer.turn(delivery(mail), async () => DONE);
}

describe('a chain of messages', () => {
  it('is linked from the first sender to the last turn, through envelopes', async () => {
    await chain(new TracingObserver());
    expect(spans().map(({ name }) => name)).toEqual([
      'send shop.order',
      'request',
      'create mail.send',
      'user work',
      'process shop.order',
      'process mail.send',
    ]);
    expect(span('send shop.order').parentSpanContext?.spanId).toBe(idOf(span('request')));
    expect(linksOf(span('process shop.order'))).toEqual([idOf(span('send shop.order'))]);
    expect(span('user work').parentSpanContext?.spanId).toBe(idOf(span('process shop.order')));
    expect(span('create mail.send').parentSpanContext?.spanId).toBe(idOf(span('user work')));
    expect(linksOf(span('process mail.send'))).toEqual([idOf(span('create mail.send'))]);
  });

  it('is a trace for each turn', async () => {
    await chain(new TracingObserver());
    expect(span('process shop.order').parentSpanContext).toBeUndefined();
    expect(new Set(spans().map(traceOf)).size).toBe(3);
  });

  it.each<[string, TracingObserver, Partial<Envelope>, string[]]>([
    ['asked', new TracingObserver(), { replyTo: 'inbox' }, ['process shop.order']],
    [
      'always',
      new TracingObserver({ parent: 'always' }),
      {},
      ['process shop.order', 'process mail.send'],
    ],
  ])('is one trace when %s', async (_, observer, more, children) => {
    await chain(observer, more);
    for (const name of children) expect(traceOf(span(name))).toBe(traceOf(span('request')));
    expect(span('process shop.order').parentSpanContext).toMatchObject({
      spanId: idOf(span('send shop.order')),
      isRemote: true,
    });
    expect(linksOf(span('process shop.order'))).toEqual([idOf(span('send shop.order'))]);
    expect(new Set(spans().map(traceOf)).size).toBe(3 - children.length);
  });

  it('does not begin in what happens to be active where a turn starts', async () => {
    await trace.getTracer('test').startActiveSpan('other', async (other) => {
      await new TracingObserver().turn(delivery(envelopeOf('shop.order')), async () => DONE);
      other.end();
    });
    expect(traceOf(span('process shop.order'))).not.toBe(traceOf(span('other')));
  });

  it.each([
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('begins anew at a context that cannot be read: %o', async (traceparent) => {
    const given = delivery(envelopeOf('shop.order', { traceparent, replyTo: 'inbox' }));
    await new TracingObserver().turn(given, async () => DONE);
    expect(linksOf(span('process shop.order'))).toEqual([]);
    expect(span('process shop.order').parentSpanContext).toBeUndefined();
  });

  it('carries tracestate', async () => {
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const given = delivery(
      envelopeOf('shop.order', { traceparent, tracestate: 'vendor=x', replyTo: 'inbox' }),
    );
    const next = envelopeOf('mail.send');
    const observer = new TracingObserver();
    await observer.turn(given, async () => {
      await observer.send([next], stored, given);
      return DONE;
    });
    expect(next.tracestate).toBe('vendor=x');
    expect(next.traceparent).toBe(`00-${'1'.repeat(32)}-${idOf(span('create mail.send'))}-01`);
  });
});

describe('a span', () => {
  it('of a send says what is sent, by the conventions for messaging', async () => {
    const envelope = envelopeOf('shop.order', { key: 'k1', tenant: 't1', correlationId: 'c1' });
    await new TracingObserver().send([envelope], stored);
    expect(span('send shop.order').kind).toBe(SpanKind.PRODUCER);
    expect(span('send shop.order').attributes).toEqual({
      'messaging.system': 'callsheet',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'shop',
      'messaging.message.id': 'shop-1',
      'messaging.message.conversation_id': 'c1',
      'callsheet.message.type': 'shop.order',
      'callsheet.message.key': 'k1',
      'callsheet.tenant': 't1',
    });
  });

  it('of a batch is one for all of it, and each message carries it', async () => {
    const envelopes = [envelopeOf('shop.order'), envelopeOf('shop.cancel')];
    await new TracingObserver().send(envelopes, stored);
    expect(span('send').attributes).toEqual({
      'messaging.system': 'callsheet',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': 2,
      'messaging.destination.name': 'shop',
    });
    for (const { traceparent } of envelopes) expect(traceparent).toContain(idOf(span('send')));
  });

  it('of copies of an event names no single actor', async () => {
    const copies = ['mail', 'audit'].map((actor) => envelopeOf('shop.ordered', { actor }));
    await new TracingObserver().send(copies, stored);
    expect(span('send shop.ordered').attributes).not.toHaveProperty('messaging.destination.name');
  });

  it('of several messages in a turn is one for each', async () => {
    const given = delivery(envelopeOf('shop.order'));
    const sends = [envelopeOf('mail.send'), envelopeOf('audit.note')];
    await new TracingObserver().send(sends, stored, given);
    expect(sends[0]?.traceparent).toContain(idOf(span('create mail.send')));
    expect(sends[1]?.traceparent).toContain(idOf(span('create audit.note')));
  });

  it('of a send that fails is an error', async () => {
    const refusal = Object.assign(new Error('no store'), { name: 'StoreError' });
    const sending = new TracingObserver().send([envelopeOf('shop.order')], () =>
      Promise.reject(refusal),
    );
    await expect(sending).rejects.toBe(refusal);
    const { status, attributes } = span('send shop.order');
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'no store' });
    expect(attributes['error.type']).toBe('StoreError');
  });

  it.each<[Outcome, object, SpanStatusCode]>([
    [DONE, { 'callsheet.outcome': 'done' }, SpanStatusCode.UNSET],
    [{ kind: 'release' }, { 'callsheet.outcome': 'release' }, SpanStatusCode.UNSET],
    [{ kind: 'cancelled' }, { 'callsheet.outcome': 'cancelled' }, SpanStatusCode.UNSET],
    [
      { kind: 'retry', delay: 500, attempt: ATTEMPT },
      { 'callsheet.outcome': 'retry', 'callsheet.retry.delay': 500, 'error.type': 'TypeError' },
      SpanStatusCode.ERROR,
    ],
    [
      { kind: 'dead', reason: 'exhausted', attempt: ATTEMPT },
      { 'callsheet.outcome': 'dead', 'callsheet.dead.reason': 'exhausted' },
      SpanStatusCode.ERROR,
    ],
    [
      { kind: 'quarantine', attempt: ATTEMPT },
      { 'callsheet.outcome': 'quarantine' },
      SpanStatusCode.ERROR,
    ],
  ])('of a turn tells its outcome: %o', async (outcome, attributes, code) => {
    const given = delivery(envelopeOf('shop.order'));
    expect(await new TracingObserver().turn(given, async () => outcome)).toBe(outcome);
    const found = span('process shop.order');
    expect(found.kind).toBe(SpanKind.CONSUMER);
    expect(found.attributes).toMatchObject({
      'messaging.operation.type': 'process',
      'callsheet.attempt': 1,
      ...attributes,
    });
    expect(found.status.code).toBe(code);
    expect(found.events.map(({ name, attributes: more }) => [name, more])).toEqual(
      code === SpanStatusCode.UNSET
        ? []
        : [
            [
              'exception',
              {
                'exception.type': 'TypeError',
                'exception.message': 'no',
                'exception.stacktrace': ATTEMPT.error.stack,
              },
            ],
          ],
    );
  });

  it('of effects that the store refuses is an error in the trace of the turn', async () => {
    const instead: Outcome = { kind: 'dead', reason: 'rejected', attempt: ATTEMPT };
    let traceThen: string | undefined;
    const outcome = await new TracingObserver().turn(
      delivery(envelopeOf('shop.order')),
      async () => ({
        kind: 'done',
        refused: () => {
          traceThen = trace.getActiveSpan()?.spanContext().traceId;
          return instead;
        },
      }),
    );
    expect(exporter.getFinishedSpans()).toHaveLength(1);
    if (outcome.kind !== 'done') throw new Error(outcome.kind);
    expect(await outcome.refused?.(new Error('mailbox full'))).toBe(instead);
    const turn = span('process shop.order');
    expect(traceThen).toBe(traceOf(turn));
    expect(span('settle shop.order').parentSpanContext?.spanId).toBe(idOf(turn));
    expect(span('settle shop.order').status.code).toBe(SpanStatusCode.ERROR);
  });
});

describe('without an SDK', () => {
  beforeAll(() => trace.disable());
  afterAll(() => {
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  });

  it('leaves envelopes as they are', async () => {
    const envelope = envelopeOf('shop.order');
    await new TracingObserver().send([envelope], stored);
    expect(envelope).toEqual(envelopeOf('shop.order'));
  });

  it('hands on the context that a message brought to those its turn sends', async () => {
    const sent = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, tracestate: 'v=x' };
    const given = delivery(envelopeOf('shop.order', sent));
    const next = envelopeOf('mail.send');
    await new TracingObserver().send([next], stored, given);
    expect(next).toMatchObject(sent);
  });
});
