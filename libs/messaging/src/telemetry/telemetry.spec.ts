import { ConsoleLogger, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../../test/support/eventually.js';
import { Actor, Handle } from '../actor.decorators.js';
import { Actors } from '../actors.js';
import { ENGINE, type Engine } from '../engine.js';
import { Message } from '../message.js';
import { CallsheetModule } from '../messaging.module.js';
import { RejectError } from '../messaging.errors.js';
import type { Turn } from '../turn.js';
import { METRICS, type Metrics } from './metrics.js';

const CANARY = 'canary-7f3a9c';

class Order extends Message('shop.order', z.object({ to: z.string() })) {}
class Pay extends Message('shop.pay', z.object({ card: z.object({ number: z.string() }) }), {
  secret: ['card.number'],
}) {}
class Mail extends Message('mail.send', z.object({ to: z.string() })) {}

@Actor()
class MailActor {
  @Handle(Mail)
  send(): void {}
}

@Actor({ retry: { attempts: 2, delay: 0, jitter: 0 } })
class ShopActor {
  constructor(private readonly actors: Actors) {}

  @Handle(Order)
  async order({ to }: Order): Promise<void> {
    await trace.getTracer('test').startActiveSpan('user work', async (work) => {
      await this.actors.tell(new Mail({ to }));
      work.end();
    });
  }

  @Handle(Pay)
  pay({ card }: Pay, turn: Turn): void {
    const cause = new Error(`GET https://bank.example/?card=${card.number}`);
    if (turn.attempt === 1) throw new Error(`the card ${card.number} is refused`, { cause });
    throw new RejectError(`the card ${card.number} is stolen`);
  }
}

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

async function open() {
  const app = await Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url: 'memory:' })],
    providers: [ShopActor, MailActor],
  })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  await app.init();
  onTestFinished(() => app.close());
  const engine = app.get<Engine>(ENGINE);
  /** The message when it has ended. */
  const ended = (id: string) =>
    eventually(async () => {
      const record = await engine.find(id, ['shop', 'mail']);
      return record?.state === 'done' || record?.state === 'dead' ? record : null;
    });
  return { app, ended, actors: app.get(Actors), metrics: app.get<Metrics>(METRICS) };
}

function spans(): Map<string, ReadableSpan> {
  return new Map(exporter.getFinishedSpans().map((each) => [each.name, each]));
}

it('links a request, the turn it starts, what that sends, and the next turn', async () => {
  const { actors } = await open();
  await trace.getTracer('test').startActiveSpan('request', async (request) => {
    await actors.tell(new Order({ to: 'ada' }));
    request.end();
  });
  await eventually(() => spans().has('process mail.send'));
  const id = (name: string) => spans().get(name)?.spanContext().spanId;
  const parent = (name: string) => spans().get(name)?.parentSpanContext?.spanId;
  const link = (name: string) => spans().get(name)?.links[0]?.context.spanId;
  expect(id('request')).toBeDefined();
  expect(parent('send shop.order')).toBe(id('request'));
  expect(link('process shop.order')).toBe(id('send shop.order'));
  expect(parent('user work')).toBe(id('process shop.order'));
  expect(parent('create mail.send')).toBe(id('user work'));
  expect(link('process mail.send')).toBe(id('create mail.send'));
});

it('counts what an application sends and handles', async () => {
  const { actors, ended, metrics } = await open();
  const { id } = await actors.tell(new Order({ to: 'ada' }));
  await ended(id);
  const text = await eventually(async () => {
    const all = await metrics.text();
    return all.includes('callsheet_turns_total{actor="mail"') && all;
  });
  expect(text).toContain('callsheet_messages_sent_total{actor="shop",type="shop.order"} 1');
  expect(text).toContain('callsheet_messages_sent_total{actor="mail",type="mail.send"} 1');
  expect(text).toContain('callsheet_queue_messages{actor="shop",state="done"} 1');
});

describe('a secret', () => {
  it('is in no log line, span, metric nor record of an attempt', async () => {
    const { actors, ended, metrics } = await open();
    const written: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
    }
    onTestFinished(() => {
      vi.restoreAllMocks();
      Logger.overrideLogger(false);
    });
    Logger.overrideLogger(new ConsoleLogger({ json: true }));
    const { id } = await actors.tell(new Pay({ card: { number: CANARY } }));
    const history = (await ended(id))?.history ?? [];
    const seen = {
      logs: written.join(''),
      spans: JSON.stringify(
        exporter
          .getFinishedSpans()
          .map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
      ),
      metrics: await metrics.text(),
      history: JSON.stringify(history),
    };
    // Or else nothing was seen at all.
    expect(seen.logs).toContain('the card [secret] is refused');
    expect(seen.spans).toContain('the card [secret] is stolen');
    expect(seen.metrics).toContain('callsheet_dead_letters_total{actor="shop",type="shop.pay"');
    expect(history.map(({ error }) => error.message)).toEqual([
      'the card [secret] is refused',
      'the card [secret] is stolen',
    ]);
    for (const [place, text] of Object.entries(seen)) expect(text, place).not.toContain(CANARY);
  });
});
