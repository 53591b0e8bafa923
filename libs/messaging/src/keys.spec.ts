import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, Read } from './actor.decorators.js';
import { ENGINE, type Engine } from './engine.js';
import { Keys, type StateOf } from './keys.js';
import { Message } from './message.js';
import { NewerVersionError, OptionError, QuarantineError } from './messaging.errors.js';
import { TestCallsheet } from './testing/index.js';
import type { Turn } from './turn.js';

const CartState = z.object({ items: z.array(z.string()).default([]), at: z.date().optional() });
class Put extends Message('cart.put', z.object({ cart: z.string(), item: z.string() }), {
  key: 'cart',
}) {}
class Count extends Message('cart.count', z.object({ cart: z.string() }), {
  key: 'cart',
  reply: z.number(),
}) {}
class Ping extends Message('ping.send', z.object({})) {}

@Actor({ state: CartState })
class CartActor {
  isStrict = true;

  @Handle(Put) put({ item }: Put, turn: Turn<typeof CartState>): void {
    if (item === 'bomb' && this.isStrict) throw new QuarantineError('not that');
    turn.state.items.push(item);
    turn.state.at = new Date(1_000);
  }
  @Read(Count) count(_: Count, turn: Turn<typeof CartState>): number {
    return turn.state.items.length;
  }
}

@Actor()
class PingActor {
  @Handle(Ping) ping(_: Ping, _turn: Turn): void {}
}

let t: TestCallsheet;
afterEach(() => t.close());

async function start(providers = [CartActor, PingActor]): Promise<Keys> {
  t = await TestCallsheet.create({ providers });
  return t.get(Keys);
}

const put = (cart: string, item: string) => t.actors.tell(new Put({ cart, item }));

describe('the state of a key', () => {
  it('is what was committed, with the types of its schema', async () => {
    const keys = await start();
    await put('a', 'book');
    expect(await keys.state(CartActor, 'a')).toBeUndefined();
    await t.drain();
    const state = await keys.state(CartActor, 'a');
    expect(state).toEqual({ items: ['book'], at: new Date(1_000) });
    expectTypeOf(state).toEqualTypeOf<{ items: string[]; at?: Date | undefined } | undefined>();
    // A copy.
    state?.items.push('another');
    expect(await keys.state(CartActor, 'a')).toMatchObject({ items: ['book'] });
  });

  it('of a number is that of its text, as in messages', async () => {
    const keys = await start();
    await put('7', 'book');
    await t.drain();
    expect(await keys.state(CartActor, 7)).toMatchObject({ items: ['book'] });
  });

  it('is read, and upcast, where the actor does not run', async () => {
    const NextState = z.object({ count: z.number().default(0) });
    const count = (old: Record<string, unknown>) => ({ count: (old['items'] as []).length });
    @Actor({ state: { schema: NextState, version: 2, upcast: { 1: count } } })
    class NextCartActor {
      @Handle(Put) put(_: Put, _turn: Turn<typeof NextState>): void {}
    }
    const keys = await start();
    await put('a', 'book');
    await t.drain();
    expect(await keys.state(NextCartActor, 'a')).toEqual({ count: 1 });
    // Reading changes nothing.
    expect(await t.get<Engine>(ENGINE).state('cart', 'a')).toMatchObject({ version: 1 });
  });

  it('of a newer version is for a newer process', async () => {
    const state = { schema: CartState, version: 2, upcast: { 1: (old: unknown) => old } };
    @Actor({ state })
    class NextCartActor {
      @Handle(Put) put(_: Put, turn: Turn<typeof CartState>): void {
        turn.state.items = ['new'];
      }
    }
    const keys = await start([NextCartActor as never]);
    await put('a', 'book');
    await t.drain();
    expect(await keys.state(NextCartActor, 'a')).toEqual({ items: ['new'] });
    await expect(keys.state(CartActor, 'a')).rejects.toThrow(NewerVersionError);
  });

  it('is typed as the handlers say', () => {
    class Untold {
      handle(_: Put): void {}
      ping(_: Ping, _turn: Turn): void {}
      other(_a: number, _b: { state: number }): void {}
    }
    expectTypeOf<StateOf<Untold>>().toEqualTypeOf<unknown>();
    expectTypeOf<StateOf<CartActor>>().toEqualTypeOf<z.infer<typeof CartState>>();
  });
});

describe('the states of an actor', () => {
  it('are listed in the order of bytes of their keys, page by page', async () => {
    const keys = await start();
    const names = ['a', 'B', 'é', '10', '9', '\u{1F600}', '\uFFFD', 'a b'];
    for (const name of names) await put(name, 'book');
    await put('bomb', 'bomb');
    await t.drain();
    const all = ['10', '9', 'B', 'a', 'a b', 'é', '\uFFFD', '\u{1F600}'];
    const found = await keys.states(CartActor);
    expect(found.map(({ key }) => key)).toEqual(all);
    expect(found[0]).toEqual({ key: '10', state: { items: ['book'], at: new Date(1_000) } });
    expectTypeOf(found[0]!.state).toEqualTypeOf<z.infer<typeof CartState>>();
    const page = await keys.states(CartActor, { after: 'a', limit: 2 });
    expect(page.map(({ key }) => key)).toEqual(['a b', 'é']);
    expect(await keys.states(CartActor, { after: '\u{1F600}' })).toEqual([]);
    expect(await keys.states(CartActor, { after: 'C', limit: 1 })).toMatchObject([{ key: 'a' }]);
  });
});

describe('keys with messages', () => {
  it('are listed, those that waited longest first, or the fullest first', async () => {
    const keys = await start();
    await put('old', 'bomb');
    await t.advance('1s');
    for (const item of ['bomb', 'book', 'pen']) await put('full', item);
    await t.drain();
    const [old, full] = await keys.list(CartActor);
    expect(old).toMatchObject({ key: 'old', depth: 1, isQuarantined: true });
    expect(full).toMatchObject({ key: 'full', depth: 3, isQuarantined: true });
    expect(full!.since - old!.since).toBe(1_000);
    expect((await keys.list('cart', { by: 'depth' })).map(({ key }) => key)).toEqual([
      'full',
      'old',
    ]);
    expect(await keys.list('cart', { by: 'depth', limit: 1 })).toEqual([full]);
    expect(await keys.list('other')).toEqual([]);
  });
});

describe('quarantined keys', () => {
  it('are listed with what stopped them, and go on when released', async () => {
    const keys = await start();
    for (const item of ['bomb', 'book']) await put('a', item);
    await put('b', 'pen');
    await t.drain();
    const [stopped, ...more] = await keys.quarantined(CartActor);
    expect(more).toEqual([]);
    expect(stopped).toMatchObject({
      key: 'a',
      depth: 2,
      attempt: { error: { message: 'not that' } },
    });
    expect(await keys.quarantined('cart')).toEqual([stopped]);
    expect(await keys.release(CartActor, 'b')).toBe(false);
    t.get(CartActor).isStrict = false;
    expect(await keys.release(CartActor, 'a')).toBe(true);
    expect(await keys.release('cart', 'a')).toBe(false);
    await t.drain();
    expect(await keys.state(CartActor, 'a')).toMatchObject({ items: ['bomb', 'book'] });
    expect(await keys.quarantined(CartActor)).toEqual([]);
  });
});

describe('what is no key, no actor, no option', () => {
  class Plain {}

  it.each<[string, (keys: Keys) => Promise<unknown>, string]>([
    ['a plain class', (keys) => keys.state(Plain, 'a'), 'actor must be the name of an actor'],
    ['no class', (keys) => keys.list(undefined as never), 'actor must be the name of an actor'],
    ['a bad name', (keys) => keys.list('Cart!'), 'actor must be the name of an actor'],
    ['no name', (keys) => keys.quarantined(''), 'actor must be the name of an actor'],
    ['no state', (keys) => keys.state(PingActor, 'a'), 'actor PingActor declares no state'],
    ['an empty key', (keys) => keys.state(CartActor, ''), 'key must be a string of 1 to 200'],
    ['a long key', (keys) => keys.release('cart', 'x'.repeat(201)), 'key must be a string of 1'],
    ['NaN', (keys) => keys.release('cart', NaN), 'key must be a string of 1 to 200'],
    ['an order', (keys) => keys.list('cart', { by: 'name' as never }), "by must be 'age' or"],
    ['no limit', (keys) => keys.list('cart', { limit: 0 }), 'limit must be a whole number'],
    ['a huge limit', (keys) => keys.list('cart', { limit: 1_001 }), 'limit must be a whole number'],
    ['no state to list', (keys) => keys.states(PingActor), 'actor PingActor declares no state'],
    ['no key to go on', (keys) => keys.states(CartActor, { after: '' }), 'after must be a string'],
    ['no states', (keys) => keys.states(CartActor, { limit: 0 }), 'limit must be a whole number'],
    ['no row', (keys) => keys.journal('cart', 'a', { before: 'x' }), 'before must be the id of a'],
    ['no rows', (keys) => keys.journal('cart', 'a', { limit: 0 }), 'limit must be a whole number'],
    ['no journal', (keys) => keys.journal('cart', ''), 'key must be a string of 1 to 200'],
    ['an order', (keys) => keys.journal('cart', 'a', { by: 'x' } as never), 'by is not an option'],
    ['an option', (keys) => keys.list('cart', { most: 5 } as never), 'most is not an option'],
  ])('%s is refused', async (_, work, problem) => {
    const keys = await start();
    const refused = work(keys);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(problem);
  });
});
