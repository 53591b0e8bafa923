import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from '../actor.decorators.js';
import { Actors } from '../actors.js';
import { Message } from '../message.js';
import { OptionError } from '../messaging.errors.js';
import type { Turn } from '../turn.js';
import { ExplorationError } from './exploration.error.js';
import { explore, type ExploreOptions } from './explore.js';
import type { TestCallsheet } from './test.callsheet.js';

class Order extends Message('shop.order', z.object({ shopId: z.string(), price: z.number() }), {
  key: 'shopId',
}) {}
class Bill extends Message('shop.bill', z.object({ shopId: z.string() }), { key: 'shopId' }) {}
class Count extends Message('counter.count', z.object({})) {}
class Mail extends Message('mail.send', z.object({ text: z.string() })) {}

const ShopState = z.object({
  open: z.number().default(0),
  billed: z.number().default(0),
  seen: z.array(z.number()).default([]),
});

/** Orders are taken in turn and summed; a timer that each order moves bills them. */
@Actor({ state: ShopState, retry: { attempts: 5, delay: '1s' } })
class Shop {
  constructor(private readonly actors: Actors) {}

  @Handle(Order) async order(m: Order, turn: Turn<typeof ShopState>): Promise<void> {
    turn.state.open += m.price;
    turn.state.seen.push(m.price);
    const timer = { id: `bill ${m.shopId}`, delay: '1h', replace: true } as const;
    await this.actors.tell(new Bill({ shopId: m.shopId }), timer);
    await this.actors.tell(new Mail({ text: `thanks for ${m.price}` }));
    if (turn.attempt === 1 && m.price % 3 === 0) throw new Error('try again');
  }

  @Handle(Bill) async bill(m: Bill, turn: Turn<typeof ShopState>): Promise<void> {
    turn.state.billed += turn.state.open;
    turn.state.open = 0;
    await this.actors.tell(new Mail({ text: `${m.shopId} billed` }));
  }
}

/** Mails by idempotency key, as a real service would take them. */
@Injectable()
class Postbox {
  readonly mails = new Map<string, string>();
}

@Actor()
class Mailer {
  constructor(private readonly postbox: Postbox) {}
  @Handle(Mail) send({ text }: Mail, { id }: Turn): void {
    this.postbox.mails.set(id, text);
  }
}

const shop: ExploreOptions = { providers: [Shop, Mailer, Postbox] };
const prices = [1, 2, 3, 4];

async function sell(t: TestCallsheet): Promise<void> {
  await t.actors.tellMany(prices.map((price) => new Order({ shopId: 'x', price })));
  await t.actors.tellMany(prices.map((price) => new Order({ shopId: 'y', price })));
  await t.advance('2h');
  for (const key of ['x', 'y']) {
    expect(t.state(Shop, key)).toEqual({ open: 0, billed: 10, seen: prices });
  }
  const texts = [...t.get(Postbox).mails.values()].toSorted();
  const thanks = prices.flatMap((price) => Array(2).fill(`thanks for ${price}`) as string[]);
  expect(texts).toEqual([...thanks, 'x billed', 'y billed'].toSorted());
  expect(t.dead).toEqual([]);
}

/** The error that the exploration ends with. */
async function failure(
  options: ExploreOptions,
  scenario: (t: TestCallsheet) => unknown,
): Promise<ExplorationError> {
  const error: unknown = await explore(options, scenario).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ExplorationError);
  return error as ExplorationError;
}

/** Finds a seed, and sees it fail again in the same way, by its number and by the environment. */
async function expectReproducible(
  options: ExploreOptions,
  scenario: (t: TestCallsheet) => unknown,
): Promise<ExplorationError> {
  const found = await failure({ seeds: 300, ...options }, scenario);
  expect(found.message).toContain(`explore({ seed: ${found.seed}, ... })`);
  expect(found.message).toContain(`CALLSHEET_SEED=${found.seed}`);
  const again = await failure({ ...options, seed: found.seed }, scenario);
  expect(again.trace).toEqual(found.trace);
  expect(again.message).toBe(found.message);
  process.env['CALLSHEET_SEED'] = `${found.seed}`;
  expect((await failure(options, scenario)).trace).toEqual(found.trace);
  delete process.env['CALLSHEET_SEED'];
  return found;
}

afterEach(() => {
  delete process.env['CALLSHEET_SEED'];
});

describe('explore', () => {
  it.each(['around-commit', 'everywhere', false] as const)(
    'finds no fault in a sound actor with state, sends and timers: crash %s',
    async (crash) => {
      let scenarios = 0;
      await explore({ ...shop, seeds: 300, crash }, async (t) => {
        scenarios++;
        await sell(t);
      });
      expect(scenarios).toBe(300);
    },
    60_000,
  );

  it('catches a lost update: read, wait, write on something shared', async () => {
    @Injectable()
    class Repository {
      value = 0;
      async load(): Promise<number> {
        return this.value;
      }
      async save(value: number): Promise<void> {
        this.value = value;
      }
    }
    @Actor()
    class Counter {
      constructor(private readonly repository: Repository) {}
      @Handle(Count) async count(): Promise<void> {
        const value = await this.repository.load();
        await this.repository.save(value + 1);
      }
    }
    const providers = [Counter, Repository];
    const { message } = await expectReproducible({ providers }, async (t) => {
      await t.actors.tellMany(Array.from({ length: 3 }, () => new Count({})));
      await t.drain();
      expect(t.get(Repository).value).toBe(3);
    });
    expect(message).toMatch(/^seed \d+ fails: expected 2 to be 3/);
    expect(message).toContain('counter.count #2 enters its handler');
  });

  it('catches a double send: one that does not wait for the commit', async () => {
    @Actor()
    class Counter {
      constructor(private readonly actors: Actors) {}
      @Handle(Count) async count(): Promise<void> {
        await this.actors.tell(new Mail({ text: 'counted' }), { now: true });
      }
    }
    const providers = [Counter, Mailer, Postbox];
    const options: ExploreOptions = { providers, crash: 'around-commit' };
    const { trace } = await expectReproducible(options, async (t) => {
      await t.actors.tell(new Count({}));
      await t.drain();
      expect(t.get(Postbox).mails.size).toBe(1);
    });
    expect(trace.join('\n')).toContain('the process dies: counter.count #1 is about to commit');
    // Sound as long as nothing dies.
    await explore({ ...options, seeds: 20, crash: false }, async (t) => {
      await t.actors.tell(new Count({}));
      await t.drain();
      expect(t.get(Postbox).mails.size).toBe(1);
    });
  });

  it('tries different orders, the same for the same seed', async () => {
    const orders = new Map<number, string>();
    const record = async (seed: number): Promise<string> => {
      const { trace } = await failure({ ...shop, seed, crash: 'everywhere' }, async (t) => {
        await sell(t);
        throw new Error('to see the trace');
      });
      return trace.join('\n');
    };
    for (let seed = 1; seed <= 10; seed++) orders.set(seed, await record(seed));
    expect(new Set(orders.values()).size).toBe(10);
    for (const [seed, order] of orders) expect(await record(seed)).toBe(order);
  });

  it('lets no message die of its deaths, unless asked', async () => {
    const crash = 'everywhere';
    await explore({ ...shop, seeds: 50, crash }, sell);
    const { message } = await failure({ ...shop, seeds: 200, crash, crashes: 50 }, sell);
    expect(message).toContain('fails');
  });

  it('a process that died does nothing more', async () => {
    const done: string[] = [];
    @Actor()
    class Counter {
      constructor(private readonly actors: Actors) {}
      @Handle(Count) async count(_: Count, { id }: Turn): Promise<void> {
        done.push(`${id} enters`);
        await this.actors.tell(new Mail({ text: '1' }), { now: true, id: `${id} sends` });
        await this.actors.tell(new Mail({ text: '2' }));
        done.push(`${id} leaves`);
      }
    }
    const providers = [Counter, Mailer, Postbox];
    const options: ExploreOptions = { providers, crash: 'everywhere' };
    let died = 0;
    await explore({ ...options, seeds: 50 }, async (t) => {
      done.length = 0;
      await t.actors.tellMany([new Count({}), new Count({})]);
      await t.drain();
      const mails = [...t.get(Postbox).mails.values()].toSorted();
      expect(mails).toEqual(['1', '1', '2', '2']);
      if (done.length > 4) died++;
    });
    expect(died).toBeGreaterThan(10);
  });

  it('nor does one that was waiting for something outside when its process died', async () => {
    let ghosts = 0;
    @Actor()
    class Counter {
      constructor(private readonly actors: Actors) {}
      @Handle(Count) async count(_: Count, { id, signal }: Turn): Promise<void> {
        for (let n = 0; n < 5; n++) await new Promise(setImmediate);
        if (signal.aborted) ghosts++;
        const text = signal.aborted ? 'a ghost' : 'alive';
        await this.actors.tell(new Mail({ text }), { now: true, id: `${id} ${text}` });
      }
    }
    const providers = [Counter, Mailer, Postbox];
    await explore({ providers, seeds: 50, crash: 'everywhere' }, async (t) => {
      await t.actors.tellMany([new Count({}), new Count({}), new Count({})]);
      await t.drain();
      expect([...t.get(Postbox).mails.values()]).toEqual(['alive', 'alive', 'alive']);
    });
    expect(ghosts).toBeGreaterThan(10);
  });

  it('answers who asks, whatever happens', async () => {
    class Total extends Message('totals.total', z.object({ id: z.string() }), {
      key: 'id',
      reply: z.number(),
    }) {}
    const TotalState = z.object({ total: z.number().default(0) });
    @Actor({ state: TotalState, retry: { delay: '1s' } })
    class Totals {
      @Handle(Total) total(_: Total, turn: Turn<typeof TotalState>): number {
        turn.state.total++;
        if (turn.attempt === 1) throw new Error('try again');
        return turn.state.total;
      }
    }
    await explore({ providers: [Totals], seeds: 50, crash: 'everywhere' }, async (t) => {
      const asks = ['a', 'b', 'a'].map((id) => t.actors.ask(new Total({ id })));
      await t.advance('10s');
      expect(await Promise.all(asks)).toEqual([1, 1, 2]);
    });
  });

  it('handles batches, whose turns wait for each other', async () => {
    @Injectable()
    class Seen {
      readonly ids = new Set<string>();
    }
    @Actor()
    class Counter {
      constructor(
        private readonly seen: Seen,
        private readonly actors: Actors,
      ) {}
      @Handle(Count, { batch: { max: 3, wait: '1s' } })
      async count(_: readonly Count[], turns: readonly Turn[]): Promise<void> {
        for (const turn of turns) {
          this.seen.ids.add(turn.id);
          await turn.join(() => this.actors.tell(new Mail({ text: turn.id })));
        }
      }
    }
    const providers = [Counter, Seen, Mailer, Postbox];
    await explore({ providers, seeds: 30, crash: 'everywhere' }, async (t) => {
      await t.actors.tellMany(Array.from({ length: 5 }, () => new Count({})));
      await t.advance('1m');
      expect(t.get(Seen).ids.size).toBe(5);
      expect(new Set(t.get(Postbox).mails.values())).toEqual(t.get(Seen).ids);
      expect(t.get(Postbox).mails.size).toBe(5);
    });
  });

  it('bounds its turns, and refuses bad options', async () => {
    @Actor()
    class Counter {
      constructor(private readonly actors: Actors) {}
      @Handle(Count) async count(): Promise<void> {
        await this.actors.tell(new Count({}));
      }
    }
    const { message } = await failure({ providers: [Counter], turns: 50 }, async (t) => {
      await t.actors.tell(new Count({}));
      await t.drain();
    });
    expect(message).toContain('more than 50 turns without time passing');
    for (const [options, problem] of [
      [{ seed: 1.5 }, 'seed must be a whole number, got 1.5'],
      [{ from: -1 }, 'from must be a whole number, got -1'],
      [{ seeds: 0 }, 'seeds must be at least 1'],
      [{ seconds: 5 }, 'seconds is not an option'],
    ] as [ExploreOptions, string][]) {
      const refused = explore(options, () => undefined);
      await expect(refused).rejects.toBeInstanceOf(OptionError);
      await expect(refused).rejects.toThrow(problem);
    }
  });
});
