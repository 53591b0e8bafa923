import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import type { Receipt } from './actors.js';
import { Message } from './message.js';
import { OptionError } from './messaging.errors.js';
import { sealMessage, type SealedMessage } from './sealed.message.js';
import type { ForwardOptions } from './sealing.js';
import { TestCallsheet } from './testing/index.js';
import type { Turn } from './turn.js';

class Pay extends Message('bank.pay', z.object({ account: z.number(), on: z.date().optional() }), {
  key: 'account',
  version: 2,
  upcast: { 1: (old) => old },
}) {}
class Start extends Message('shop.start', z.object({ fails: z.boolean().default(false) })) {}

let seen: Pay[] = [];
let turns: Turn[] = [];
let receipts: Receipt[] = [];
let kept: SealedMessage;

@Actor()
class BankActor {
  @Handle(Pay) pay(message: Pay, turn: Turn): void {
    seen.push(message);
    turns.push(turn);
  }
}
@Actor({ retry: { attempts: 1 } })
class ShopActor {
  @Handle(Start) async start({ fails }: Start): Promise<void> {
    receipts.push(await t.actors.forward(kept));
    // What is changed later does not travel.
    kept.data['account'] = 99;
    if (fails) throw new Error('no');
  }
}

let t: TestCallsheet;
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
afterEach(async () => {
  [seen, turns, receipts] = [[], [], []];
  await t?.close();
});

const stored = (message = sealMessage(new Pay({ account: 7, on: new Date(5) }))) =>
  JSON.parse(JSON.stringify(message)) as SealedMessage;

describe('a sealed message', () => {
  it('is JSON, and comes as it was sealed', async () => {
    expect(sealMessage(new Pay({ account: 7 }))).toEqual({
      type: 'bank.pay',
      actor: 'bank',
      key: '7',
      version: 2,
      data: { account: 7 },
    });
    expect(sealMessage(new Start({}))).not.toHaveProperty('key');
    t = await TestCallsheet.create({ providers: [BankActor] });
    await t.actors.forward(stored(), { occurrence: new Date(60_000), headers: { a: 'b' } });
    await t.drain();
    expect(seen).toEqual([new Pay({ account: 7, on: new Date(5) })]);
    expect(turns[0]).toMatchObject({
      key: '7',
      occurrence: new Date(60_000),
      headers: { a: 'b' },
    });
  });

  it('is sent with the options of tell, and is the same message to them', async () => {
    t = await TestCallsheet.create({ providers: [BankActor] });
    const options = { id: 'p-1', delay: '1h' } as const;
    await t.actors.tell(new Pay({ account: 7, on: new Date(5) }), options);
    expect(await t.actors.forward(stored(), options)).toMatchObject({
      id: 'p-1',
      state: 'delayed',
    });
    await t.advance('1h');
    expect(seen).toHaveLength(1);
    const other = t.actors.forward(stored(), { ...options, occurrence: new Date(5) });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });

  it('joins the turn', async () => {
    t = await TestCallsheet.create({ providers: [BankActor, ShopActor] });
    kept = stored();
    await t.actors.tell(new Start({ fails: true }));
    await t.drain();
    expect(seen).toEqual([]);
    expect(receipts).toMatchObject([{ state: 'pending' }]);
    kept = stored();
    await t.actors.tell(new Start({}));
    await t.drain();
    expect(seen).toEqual([new Pay({ account: 7, on: new Date(5) })]);
  });

  it.each<[Partial<Record<keyof SealedMessage, unknown>> | null, string]>([
    [null, 'sealed must be what sealMessage() has made'],
    [{ type: 'bank' }, "sealed.type must be '<actor>.<verb>'"],
    [{ type: 5 }, "sealed.type must be '<actor>.<verb>'"],
    [{ actor: 'Bank!' }, 'sealed.actor must be the name of an actor'],
    [{ version: 0 }, 'sealed.version must be a whole number from 1'],
    [{ data: [] }, 'sealed.data must be an object'],
    [{ data: null }, 'sealed.data must be an object'],
    [{ types: 'x' }, 'sealed.types must be an object'],
    [{ key: '' }, 'sealed.key must be a string of 1 to 200 characters'],
    [{ key: 5 }, 'sealed.key must be a string of 1 to 200 characters'],
  ])('is not %o', async (bad, problem) => {
    t = await TestCallsheet.create({ providers: [BankActor] });
    const sealed = bad && { ...stored(), ...bad };
    const refused = t.actors.forward(sealed as SealedMessage);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(problem);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ occurrence: 5 }, 'occurrence must be a valid Date'],
    [{ occurrence: new Date(NaN) }, 'occurrence must be a valid Date'],
    [{ notify: 'watch.ended' }, 'notify must be an object { type, key, notBefore }'],
    [{ notify: null }, 'notify must be an object { type, key, notBefore }'],
    [{ notify: { type: 'watch' } }, "notify.type must be '<actor>.<verb>'"],
    [{ notify: { type: 'watch.ended', key: '' } }, 'notify.key must be a string of 1 to 200'],
    [{ notify: { type: 'watch.ended', to: 'x' } }, 'notify.to is not an option'],
    [{ notify: { type: 'watch.ended', notBefore: 1.5 } }, 'notBefore must be a number of milli'],
    [{ notify: { type: 'watch.ended', notBefore: -1 } }, 'notBefore must be a number of milli'],
    [{ notify: { type: 'watch.ended', notBefore: new Date() } }, 'notBefore must be a number of'],
    [{ notify: { type: 'watch.ended', notBefore: 1e15 } }, 'notBefore must be within a year'],
    [{ every: 5 }, 'every is not an option'],
    [{ delay: '1s', at: new Date() }, 'at cannot be combined with delay'],
  ])('is not sent with %o', async (options, problem) => {
    t = await TestCallsheet.create({ providers: [BankActor] });
    await expect(t.actors.forward(stored(), options as ForwardOptions)).rejects.toThrow(problem);
  });

  it('has options of its own', async () => {
    t = await TestCallsheet.create({ providers: [BankActor] });
    const notify = { type: 'watch.ended' } as const;
    const told = t.actors.tell(new Pay({ account: 7 }), { notify } as never);
    await expect(told).rejects.toThrow('notify is not an option');
  });
});
