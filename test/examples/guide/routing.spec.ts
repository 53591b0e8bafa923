import {
  Actor,
  Actors,
  Handle,
  Message,
  On,
  Routes,
  RoutesActor,
  UnroutedActor,
  type TopicEvent,
  type Turn,
} from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

export class OrderPlaced extends Message(
  'orders.placed',
  z.object({ orderId: z.string(), amount: z.number(), country: z.string().default('es') }),
) {}
export class PriceAsked extends Message('prices.asked', z.object({ item: z.string() }), {
  reply: z.object({ price: z.number() }),
}) {}
export class CountStock extends Message('stock.count', z.object({ item: z.string() }), {
  key: 'item',
}) {}

const seen: string[] = [];

// By type, by topic, by content: what does not match is not stored for this actor at all.
@Actor({ name: 'fraud' })
export class FraudActor {
  @On(OrderPlaced, { when: "data.amount > 1000 && headers.channel == 'web'" })
  check({ orderId }: OrderPlaced) {
    seen.push(`fraud ${orderId}`);
  }
}

@Actor({ name: 'eu-desk' })
export class EuDeskActor {
  @On(OrderPlaced, { topic: 'orders.eu.*' })
  placed({ orderId }: OrderPlaced, { topic }: Turn) {
    seen.push(`eu-desk ${orderId} ${topic}`);
  }
}

// Of any type: `*` is one word, `**` any number.
@Actor({ name: 'audit' })
export class AuditActor {
  @On('orders.**')
  log({ type, data }: TopicEvent) {
    seen.push(`audit ${type} ${String(data['orderId'])}`);
  }
}

// Subscribes to nothing: it handles what stored routes lead here.
@Actor({ name: 'vip-desk' })
export class VipDeskActor {
  @On(OrderPlaced, { routed: true })
  placed({ orderId }: OrderPlaced, { headers }: Turn) {
    seen.push(`vip-desk ${orderId} ${headers['reason']}`);
  }
}

@Actor({ name: 'shop-a' })
export class ShopA {
  @On(PriceAsked) price() {
    return { price: 10 };
  }
}

@Actor({ name: 'shop-b' })
export class ShopB {
  @On(PriceAsked) price() {
    return { price: 12 };
  }
}

@Actor()
export class StockActor {
  @Handle(CountStock) count({ item }: CountStock) {
    seen.push(`stock ${item}`);
  }
}

let t: TestCallsheet;
let actors: Actors;
let routes: Routes;

beforeEach(async () => {
  seen.length = 0;
  t = await TestCallsheet.create({
    providers: [
      ...[FraudActor, EuDeskActor, AuditActor, VipDeskActor, ShopA, ShopB, StockActor],
      ...[RoutesActor, UnroutedActor],
    ],
  });
  [actors, routes] = [t.actors, t.get(Routes)];
});
afterEach(() => t.close());

const order = (orderId: string, amount = 1) => new OrderPlaced({ orderId, amount });

describe('routing', () => {
  it('goes by type, topic and content', async () => {
    const { receivers } = await actors.publish(new OrderPlaced({ orderId: '1', amount: 5_000 }), {
      topic: 'orders.eu.created',
      headers: { channel: 'web' },
    });
    expect(receivers).toEqual(['audit', 'eu-desk', 'fraud']);
    await t.drain();
    expect(seen.toSorted()).toEqual([
      'audit orders.placed 1',
      'eu-desk 1 orders.eu.created',
      'fraud 1',
    ]);
  });

  it('goes by stored routes, which are edited while everything runs', async () => {
    await routes.put(
      'vip',
      {
        order: 10, // looked at in this order; `last: true` ends it
        match: { type: 'orders.placed', when: 'data.amount >= 10000' },
        to: ['vip-desk'],
        set: { priority: 1, headers: { reason: 'big' } }, // and delay
      },
      { by: 'ada', reason: 'a desk for big orders' },
    );
    const { receivers } = await actors.publish(order('2', 10_000));
    expect(receivers).toEqual(['audit', 'vip-desk']);
    await t.drain();
    expect(seen).toContain('vip-desk 2 big');
    expect(await routes.history('vip')).toMatchObject([{ change: 'created', by: 'ada' }]);
    const dry = await routes.test(order('3', 20_000)); // nothing is stored
    expect(dry.by).toContainEqual({ receiver: 'vip-desk', by: 'route:vip' });
  });

  it('keeps what nobody receives, if asked', async () => {
    const lost = await actors.publish(new CountStock({ item: 'lamp' }), { unrouted: 'keep' });
    expect(lost).toMatchObject({ receivers: [], kept: `${lost.id}@unrouted` });
    await t.drain();
    expect(t.dead).toMatchObject([{ envelope: { actor: 'unrouted' } }]);
  });

  it('gathers replies', async () => {
    const offers = await actors.gather(new PriceAsked({ item: 'lamp' }), {
      need: 'all', // or 'first', 'quorum', a number
      timeout: '2s',
    });
    const [best] = offers.replies.toSorted((a, b) => a.reply.price - b.reply.price);
    expect(best).toEqual({ actor: 'shop-a', reply: { price: 10 } });
    expect(offers).toMatchObject({ isComplete: true, failures: [], missing: [] });
  });
});

/** Whom an event reaches, without those of the examples above that hear of all orders. */
async function reached(...given: Parameters<Actors['publish']>): Promise<string[]> {
  const { receivers } = await actors.publish(...given);
  return receivers.filter((actor) => actor !== 'audit');
}

/** Each row of the page's tables is one of these, by its name. */
describe('what others call it', () => {
  const rows: Record<string, () => Promise<void>> = {
    'direct exchange': async () => {
      await routes.put('r', { order: 1, match: { topic: 'orders.eu' }, to: ['a'] });
      expect(await reached(order('1'), { topic: 'orders.eu' })).toEqual(['a']);
      expect(await reached(order('1'), { topic: 'orders.us' })).toEqual([]);
    },
    'topic exchange': async () => {
      await routes.put('r', { order: 1, match: { topic: 'orders.*.new.**' }, to: ['a'] });
      expect(await reached(order('1'), { topic: 'orders.us.new' })).toEqual(['a']);
      expect(await reached(order('1'), { topic: 'orders.us.new.big.red' })).toEqual(['a']);
      expect(await reached(order('1'), { topic: 'orders.new' })).toEqual([]);
    },
    'fanout exchange': async () => {
      await routes.put('r', { order: 1, match: {}, to: ['a', 'b'] });
      expect(await reached(order('1'))).toEqual(['a', 'b']);
      expect(await reached(new CountStock({ item: 'lamp' }))).toEqual(['a', 'b']);
    },
    'headers exchange': async () => {
      const match = { headers: { format: 'pdf', lang: 'es' } };
      await routes.put('all', { order: 1, match, to: ['a'] });
      const when = "headers.format == 'pdf' || headers.lang == 'es'";
      await routes.put('any', { order: 2, match: { when }, to: ['b'] });
      const headers = { format: 'pdf', lang: 'es' };
      expect(await reached(order('1'), { headers })).toEqual(['a', 'b']);
      expect(await reached(order('1'), { headers: { ...headers, lang: 'fr' } })).toEqual(['b']);
    },
    'alternate exchange': async () => {
      const { kept } = await actors.publish(new CountStock({ item: 'x' }), { unrouted: 'keep' });
      await t.drain();
      expect(t.dead.map(({ envelope }) => envelope.id)).toEqual([kept]);
    },
    'consistent hash exchange': async () => {
      const to = [{ oneOf: ['a', 'b', 'c'], by: 'hash' as const }];
      await routes.put('r', { order: 1, match: { type: 'stock.count' }, to });
      const by = async (item: string) => (await reached(new CountStock({ item }))).join();
      for (const item of ['lamp', 'sofa', 'desk']) expect(await by(item)).toBe(await by(item));
    },
    'work queue': async () => {
      await actors.tellMany([new CountStock({ item: 'lamp' }), new CountStock({ item: 'sofa' })]);
      await t.drain();
      expect(seen.toSorted()).toEqual(['stock lamp', 'stock sofa']);
    },
    'subject wildcards': async () => {
      await routes.put('star', { order: 1, match: { topic: 'ships.*' }, to: ['a'] });
      await routes.put('more', { order: 2, match: { topic: 'ships.*.**' }, to: ['b'] });
      expect(await reached(order('1'), { topic: 'ships.eu' })).toEqual(['a', 'b']);
      expect(await reached(order('1'), { topic: 'ships.eu.new' })).toEqual(['b']);
      expect(await reached(order('1'), { topic: 'ships' })).toEqual([]);
    },
    'queue group': async () => {
      // Two actors are two groups; the processes of one actor share its copies.
      const { copies } = await actors.publish(new PriceAsked({ item: 'lamp' }));
      expect(copies).toHaveLength(2);
    },
    'request to many': async () => {
      const { replies } = await actors.gather(new PriceAsked({ item: 'x' }), { need: 'first' });
      expect(replies.length).toBeGreaterThanOrEqual(1);
    },
    'consumer group': async () => {
      await actors.publish(order('1'), { topic: 'orders.eu.new' });
      await t.drain();
      expect(seen.toSorted()).toEqual(['audit orders.placed 1', 'eu-desk 1 orders.eu.new']);
    },
    'partition key': async () => {
      for (const item of ['a1', 'a2', 'a3']) await actors.tell(new CountStock({ item }));
      await t.drain();
      expect(seen).toEqual(['stock a1', 'stock a2', 'stock a3']);
    },
    'priority router': async () => {
      const urgent = { priority: { max: 10 } };
      await routes.put('urgent', { order: 1, match: urgent, to: ['fast'], last: true });
      await routes.put('rest', { order: 2, match: {}, to: ['slow'] });
      expect(await reached(order('1'), { priority: 'critical' })).toEqual(['fast']);
      expect(await reached(order('1'), { priority: 'low' })).toEqual(['slow']);
    },
    'content router': async () => {
      await routes.put('r', { order: 1, match: { when: "data.country == 'fr'" }, to: ['paris'] });
      const french = new OrderPlaced({ orderId: '1', amount: 1, country: 'fr' });
      expect(await reached(french)).toEqual(['paris']);
      expect(await reached(order('1'))).toEqual([]);
    },
    'least loaded': async () => {
      const to = [{ oneOf: ['a', 'b'], by: 'load' as const }];
      await routes.put('r', { order: 1, match: {}, to });
      const both = [await reached(order('1')), await reached(order('2'))];
      expect(both.flat().toSorted()).toEqual(['a', 'b']);
    },
  };

  it.each(Object.entries(rows))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('has a row on the page for each', async () => {
    const { readFile } = await import('node:fs/promises');
    const page = await readFile(new URL('../../../docs/guide/routing.md', import.meta.url), 'utf8');
    const named = [...page.matchAll(/^\| ([^|]+?) +\| .*\| .*\|$/gm)].map(([, name]) => name ?? '');
    expect(named.filter((name) => name in rows).sort()).toEqual(Object.keys(rows).sort());
  });
});
