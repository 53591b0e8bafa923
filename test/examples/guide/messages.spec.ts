import { Actor, Actors, Handle, InvalidMessageError, Message } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

// Any Standard Schema declares a message; the part of the type before the dot names its actor.
export class SendInvoice extends Message(
  'billing.send',
  z.object({ orderId: z.string(), amount: z.bigint(), due: z.date() }),
) {}

export class RemindCustomer extends Message(
  'billing.remind',
  v.object({ orderId: v.string(), tone: v.optional(v.picklist(['kind', 'firm']), 'kind') }),
) {}

export class VoidInvoice extends Message('billing.void', type({ orderId: 'string > 0' })) {}

// The reply is declared with the message: it types the handler and whoever asks.
export class GetTotal extends Message('billing.total', z.object({ customer: z.string() }), {
  reply: z.object({ total: z.bigint() }),
}) {}

// A second version of a message reads what the first one sent.
export class SendReceipt extends Message(
  'billing.receipt',
  z.object({ orderId: z.string(), locale: z.string() }),
  { version: 2, upcast: { 1: (old) => ({ ...(old as { orderId: string }), locale: 'en' }) } },
) {}

// Fields that nobody should read in a log.
export class ChargeCard extends Message(
  'billing.charge',
  z.object({ orderId: z.string(), card: z.string() }),
  { secret: ['card'] },
) {}

// Fields by whose values messages are found.
export class ShipOrder extends Message(
  'shipping.ship',
  z.object({ orderId: z.string(), tags: z.array(z.string()) }),
  { search: ['orderId', 'tags'] },
) {}

@Actor()
export class BillingActor {
  readonly sent: SendInvoice[] = [];
  readonly tones: string[] = [];

  @Handle(SendInvoice) send(message: SendInvoice) {
    this.sent.push(message);
  }

  @Handle(RemindCustomer) remind({ tone }: RemindCustomer) {
    this.tones.push(tone);
  }

  @Handle(GetTotal) total({ customer }: GetTotal) {
    const mine = this.sent.filter(({ orderId }) => orderId.startsWith(customer));
    return { total: mine.reduce((sum, { amount }) => sum + amount, 0n) };
  }
}

describe('messages', () => {
  it('are checked where they are made, carry what JSON cannot, and answer', async () => {
    const t = await TestCallsheet.create({ providers: [BillingActor] });
    const due = new Date('2026-04-01T00:00:00Z');
    await t.actors.tell(new SendInvoice({ orderId: 'ada-1', amount: 12n, due }));
    await t.actors.tell(new RemindCustomer({ orderId: 'ada-1' }));
    await t.drain();
    expect(t.get(BillingActor).sent[0]).toMatchObject({ amount: 12n, due });
    expect(t.get(BillingActor).tones).toEqual(['kind']);
    const { total } = await t.actors.ask(new GetTotal({ customer: 'ada' }));
    expect(total).toBe(12n);
    // @ts-expect-error a wrong payload does not compile, and does not get through either
    expect(() => new SendInvoice({ orderId: 7 })).toThrow(InvalidMessageError);
    expect(() => new VoidInvoice({ orderId: '' })).toThrow(InvalidMessageError);
    await t.close();
  });

  it('are sent by any provider', async () => {
    const t = await TestCallsheet.create({ providers: [BillingActor] });
    const actors = t.get(Actors);
    const receipt = await actors.tell(new RemindCustomer({ orderId: 'a', tone: 'firm' }), {
      id: 'remind-a', // sent twice, handled once
      priority: 'high', // critical, high, normal, low, or a number
      delay: '2d', // or at: a Date
      ttl: '1h', // a dead letter if not started within an hour of when it could
      headers: { source: 'guide' },
      tenant: 'acme',
    });
    expect(receipt).toMatchObject({ id: 'remind-a', state: 'delayed' });
    await t.advance('2d');
    expect(t.get(BillingActor).tones).toEqual(['firm']);
    await t.close();
  });
});
