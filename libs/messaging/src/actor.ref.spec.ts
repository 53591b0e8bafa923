import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import type { ActorRef } from './actor.ref.js';
import type { Actors } from './actors.js';
import { Message } from './message.js';
import { InvalidMessageError, OptionError } from './messaging.errors.js';
import { TestCallsheet } from './testing/test.callsheet.js';

class Deposit extends Message(
  'account.deposit',
  z.object({ accountId: z.string(), amount: z.number().positive() }),
  { key: 'accountId', reply: z.number() },
) {}
class Ping extends Message('account.ping', z.object({ text: z.string() })) {}

@Actor({ name: 'account' })
class AccountActor {
  @Handle(Deposit) deposit({ amount }: Deposit): number {
    return amount * 2;
  }
  @Handle(Ping) ping(): void {}
}

let t: TestCallsheet;
let ref: ActorRef;

beforeEach(async () => {
  t = await TestCallsheet.create({ providers: [AccountActor] });
  ref = t.actors.ref('a-1');
  return () => t.close();
});

describe('a ref', () => {
  it('tells with its key, and passes the options on', async () => {
    expect(ref.key).toBe('a-1');
    const receipt = await ref.tell(Deposit, { amount: 5 }, { id: 'mine', delay: '1h' });
    expect(receipt).toMatchObject({ id: 'mine', state: 'delayed' });
    expect(t.sent(Deposit)).toEqual([expect.objectContaining({ accountId: 'a-1', amount: 5 })]);
  });

  it('asks with its key', async () => {
    expect(await ref.ask(Deposit, { amount: 5 })).toBe(10);
    expect(t.sent(Deposit)[0]?.accountId).toBe('a-1');
  });

  it('does not let data name another key', async () => {
    await ref.tell(Deposit, { amount: 5, accountId: 'other' } as { amount: number });
    expect(t.sent(Deposit)[0]?.accountId).toBe('a-1');
  });

  it.each(['tell', 'ask'] as const)('rejects, and does not throw, in %s', async (way) => {
    const bad = ref[way](Deposit, { amount: -1 });
    await expect(bad).rejects.toThrow(InvalidMessageError);
    const keyless = (ref as unknown as Record<string, Actors['tell']>)[way]!(
      Ping as never,
      { text: 'x' } as never,
    );
    await expect(keyless).rejects.toThrow(
      new OptionError('account.ping key', 'is not declared: a ref is for messages with a key'),
    );
    expect(t.sent(Deposit)).toEqual([]);
  });

  it.each(['', 'x'.repeat(201), undefined])('is not made for the key %o', (key) => {
    expect(() => t.actors.ref(key as string)).toThrow(OptionError);
  });
});
