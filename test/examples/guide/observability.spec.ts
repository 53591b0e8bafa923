import { Actor, Actors, Handle, Message, METRICS, type Metrics } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Inject, Injectable } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

export class PlaceOrder extends Message('orders.place', z.object({ orderId: z.string() })) {}
export class PackOrder extends Message('warehouse.pack', z.object({ orderId: z.string() })) {}

@Actor()
export class OrdersActor {
  constructor(private readonly actors: Actors) {}

  @Handle(PlaceOrder) async place({ orderId }: PlaceOrder) {
    await this.actors.tell(new PackOrder({ orderId }));
  }
}

@Actor()
export class WarehouseActor {
  @Handle(PackOrder) pack() {}
}

// A worker without HTTP serves its metrics where its operator wants them.
@Injectable()
export class WorkerMetrics {
  constructor(@Inject(METRICS) private readonly metrics: Metrics) {}

  scrape() {
    return this.metrics.text();
  }
}

// An SDK, registered once at the start of the process: spans go wherever its exporter sends them.
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

describe('observability', () => {
  afterAll(() => {
    trace.disable();
    context.disable();
  });

  it('counts and traces what passes', async () => {
    const t = await TestCallsheet.create({
      providers: [OrdersActor, WarehouseActor, WorkerMetrics],
    });
    await t.actors.tell(new PlaceOrder({ orderId: '1' }));
    await t.drain();
    const text = await t.get(WorkerMetrics).scrape();
    expect(text).toContain(
      'callsheet_turns_total{actor="orders",type="orders.place",outcome="done"} 1',
    );
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual([
      'send orders.place',
      'create warehouse.pack',
      'process orders.place',
      'process warehouse.pack',
    ]);
    await t.close();
  });
});
