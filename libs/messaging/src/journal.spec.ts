import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, Read } from './actor.decorators.js';
import { toRow } from './journal.js';
import { Keys } from './keys.js';
import { Message } from './message.js';
import { OptionError, TurnEndedError, TurnUsageError } from './messaging.errors.js';
import { TestCallsheet } from './testing/index.js';
import type { Turn } from './turn.js';

const CartState = z.object({ items: z.number().default(0) });
const cart = z.object({ cart: z.string(), item: z.string() });
class Put extends Message('cart.put', cart, { key: 'cart' }) {}
class Look extends Message('cart.look', z.object({ cart: z.string() }), { key: 'cart' }) {}
class Note extends Message('note.add', z.object({})) {}
class Many extends Message('note.many', z.object({})) {}

let turns: Turn<typeof CartState>[] = [];

/** What happens where nothing may be written. */
let refusals: unknown[] = [];

function tries(turn: Pick<Turn, 'journal' | 'forget'>): void {
  for (const write of [() => turn.journal({}), () => turn.forget()]) {
    try {
      write();
      refusals.push(undefined);
    } catch (error) {
      refusals.push(error);
    }
  }
}

@Actor({ state: CartState, journal: { keep: 3 }, retry: { attempts: 2, delay: 1_000, jitter: 0 } })
class CartActor {
  fails = false;

  @Handle(Put) async put({ item }: Put, turn: Turn<typeof CartState>): Promise<void> {
    turns.push(turn);
    turn.state.items += 1;
    for (const each of item.split(',')) turn.journal({ item: each });
    if (item.includes('forget')) turn.forget();
    if (this.fails) throw new Error('no');
  }
  @Read(Look) look(_: Look, turn: Turn<typeof CartState>): void {
    tries(turn);
  }
}

@Actor()
class NoteActor {
  @Handle(Note) add(_: Note, turn: Turn): void {
    tries(turn);
  }
  @Handle(Many, { batch: { max: 2 } }) many(_: readonly Many[], given: readonly Turn[]): void {
    for (const turn of given) tries(turn as Turn);
  }
}

let t: TestCallsheet;
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
afterEach(async () => {
  turns = [];
  refusals = [];
  await t?.close();
});

async function start(): Promise<Keys> {
  t = await TestCallsheet.create({ providers: [CartActor, NoteActor] });
  return t.get(Keys);
}

const put = (item: string) => t.actors.tell(new Put({ cart: 'a', item }));
const itemsOf = async (keys: Keys, options = {}) =>
  (await keys.journal(CartActor, 'a', options)).map(({ row }) => row['item']);

describe('the journal of a key', () => {
  it('has what its turns left, newest first, as many as the actor keeps', async () => {
    const keys = await start();
    expect(await keys.journal('cart', 'a')).toEqual([]);
    await put('one');
    await put('two,three');
    await t.drain();
    const rows = await keys.journal('cart', 'a');
    expect(rows).toEqual(
      ['three', 'two', 'one'].map((item) => ({
        id: expect.any(String),
        at: t.now.getTime(),
        row: { item },
      })),
    );
    expect(await itemsOf(keys, { limit: 2 })).toEqual(['three', 'two']);
    expect(await itemsOf(keys, { before: rows[1]!.id })).toEqual(['one']);
    await put('four,five');
    await t.drain();
    expect(await itemsOf(keys)).toEqual(['five', 'four', 'three']);
    expect(await keys.journal(CartActor, 'b')).toEqual([]);
  });

  it('has nothing of attempts that failed', async () => {
    const keys = await start();
    t.get(CartActor).fails = true;
    await put('one');
    await t.drain();
    expect(await itemsOf(keys)).toEqual([]);
    t.get(CartActor).fails = false;
    await t.advance('1s');
    expect(await itemsOf(keys)).toEqual(['one']);
  });

  it('is removed with the state, and the key is as new', async () => {
    const keys = await start();
    await put('one');
    await put('forget');
    await t.drain();
    expect(await itemsOf(keys)).toEqual([]);
    expect(await keys.state(CartActor, 'a')).toBeUndefined();
    await put('again');
    await t.drain();
    expect(await itemsOf(keys)).toEqual(['again']);
    expect(await keys.state(CartActor, 'a')).toEqual({ items: 1 });
  });

  it('is not written to by reads, without key, in batches, or when the turn is over', async () => {
    await start();
    await put('one');
    await t.actors.tell(new Look({ cart: 'a' }));
    await t.actors.tell(new Note({}));
    await t.actors.tell(new Many({}));
    await t.advance('1s');
    expect(refusals).toHaveLength(6);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(TurnUsageError);
    expect(String(refusals[2])).toContain("'note.add' has none");
    expect(() => turns[0]!.journal({})).toThrow(TurnEndedError);
    expect(() => turns[0]!.forget()).toThrow(TurnEndedError);
  });

  it('takes at most a thousand rows of a turn', async () => {
    await start();
    await put(Array.from({ length: 1_001 }, () => 'x').join(','));
    await t.advance('1s');
    expect(t.dead[0]?.history[0]?.error.message).toContain('at most 1000 rows');
  });
});

describe('a row', () => {
  it('is a copy of a plain object', () => {
    const row = { a: [{ b: null }] };
    expect(toRow(row)).toEqual(row);
    expect(toRow(row)['a']).not.toBe(row.a);
    expect(toRow({ text: 'x'.repeat(4_085) })).toBeDefined();
  });

  it.each<[unknown, string]>([
    [undefined, 'row of the journal must be a plain object'],
    [null, 'row of the journal must be a plain object'],
    [[1], 'row of the journal must be a plain object'],
    ['text', 'row of the journal must be a plain object'],
    [{ at: new Date() }, 'row must be plain JSON'],
    [{ a: undefined }, 'row must be plain JSON'],
    [{ a: { f: () => 1 } }, 'row/a/f cannot be carried: function'],
    [{ a: NaN }, 'row/a must be a finite number'],
    [{ text: 'x'.repeat(4_086) }, 'row is larger than 4096 bytes'],
  ])('%# is none', (row, problem) => {
    expect(() => toRow(row)).toThrow(OptionError);
    expect(() => toRow(row)).toThrow(problem);
  });
});
