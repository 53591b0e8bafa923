import {
  Actor,
  Actors,
  currentTurn,
  Handle,
  Message,
  On,
  type Turn,
  type TurnContext,
} from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

export class PlaceOrder extends Message(
  'shop.place',
  z.object({ orderId: z.string(), item: z.string() }),
) {}
export class OrderPlaced extends Message('shop.placed', z.object({ orderId: z.string() })) {}
export class PackOrder extends Message('warehouse.pack', z.object({ orderId: z.string() })) {}
export class IndexItem extends Message('search.index', z.object({ item: z.string() })) {}

// Guards, pipes, interceptors and filters of Nest microservices work as they are.
@Injectable()
export class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const turn = context.switchToRpc().getContext<TurnContext>().getTurn();
    return turn.tenant !== undefined;
  }
}

// Any provider knows the turn it is called in.
@Injectable()
export class Journal {
  readonly lines: string[] = [];

  write(text: string) {
    const turn = currentTurn();
    this.lines.push(`${turn?.tenant}: ${text}`);
  }
}

// What a handler sends is stored with the end of its message, or not at all.
@UseGuards(TenantGuard)
@Actor({ concurrency: 50, rateLimit: { max: 100, per: '1s' } })
export class ShopActor {
  constructor(
    private readonly actors: Actors,
    private readonly journal: Journal,
  ) {}

  @Handle(PlaceOrder, { timeout: '10s' })
  async place({ orderId, item }: PlaceOrder, turn: Turn) {
    turn.signal.throwIfAborted(); // aborts when the time is up, the message is cancelled, the process stops
    await this.actors.tell(new PackOrder({ orderId }));
    await this.actors.tell(new IndexItem({ item }));
    await this.actors.publish(new OrderPlaced({ orderId }));
    this.journal.write(`placed ${orderId}`);
  }
}

@Actor()
export class WarehouseActor {
  readonly packed: string[] = [];

  @Handle(PackOrder) pack({ orderId }: PackOrder) {
    this.packed.push(orderId);
  }
}

// Every subscribing actor gets a copy of an event, with its own retries and dead letters.
@Actor({ name: 'statistics' })
export class StatisticsActor {
  orders = 0;

  @On(OrderPlaced) placed() {
    this.orders++;
  }
}

// Several messages in one call; what is returned says which of them failed.
@Actor()
export class SearchActor {
  readonly calls: number[] = [];

  @Handle(IndexItem, { batch: { max: 100, wait: '20ms' } })
  async index(items: readonly IndexItem[], _turns: readonly Turn[]) {
    this.calls.push(items.length);
    return items.map(({ item }) => (item === '' ? new Error('no name') : undefined));
  }
}

describe('actors', () => {
  it('handle messages, send on, and are guarded', async () => {
    const t = await TestCallsheet.create({
      providers: [ShopActor, WarehouseActor, StatisticsActor, SearchActor, TenantGuard, Journal],
    });
    await t.actors.tell(new PlaceOrder({ orderId: '1', item: 'lamp' }), { tenant: 'acme' });
    await t.drain();
    expect(t.get(WarehouseActor).packed).toEqual(['1']);
    expect(t.get(StatisticsActor).orders).toBe(1);
    expect(t.get(Journal).lines).toEqual(['acme: placed 1']);
    await t.actors.tell(new PlaceOrder({ orderId: '2', item: 'lamp' }));
    await t.drain();
    expect(t.dead).toMatchObject([{ reason: 'rejected', envelope: { data: { orderId: '2' } } }]);
    await t.advance('1s');
    expect(t.get(SearchActor).calls).toEqual([1]);
    await t.close();
  });
});
