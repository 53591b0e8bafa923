import {
  Actor,
  Handle,
  Message,
  OnDeadLetter,
  RejectError,
  RetryLaterError,
  type DeadLetterAdded,
} from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

export class Charge extends Message('payment.charge', z.object({ card: z.string() })) {}

export class CardRefused extends RejectError {
  override readonly code = 'card_refused';
}
export class BankDown extends Error {}

/** Stands for a bank. */
@Injectable()
export class Bank {
  answers: (Response | undefined)[] = [];
  asked = 0;

  async charge(_card: string): Promise<Response> {
    this.asked++;
    const answer = this.answers.shift();
    if (!answer) throw new BankDown('no answer');
    return answer;
  }
}

// Errors decide: retried by policy unless their class says otherwise.
@Actor({
  retry: { attempts: 4, delay: '1s', factor: 2, max: '5m', jitter: 0 },
  on: [[BankDown, 'pause']], // take nothing for a while, then try one
  pause: { for: '30s', max: '10m' },
})
export class PaymentActor {
  constructor(private readonly bank: Bank) {}

  @Handle(Charge)
  async charge({ card }: Charge) {
    const answer = await this.bank.charge(card);
    if (answer.status === 402) throw new CardRefused('the card is refused'); // never tried again
    if (answer.status === 429) {
      const wait = answer.headers.get('retry-after');
      throw RetryLaterError.fromRetryAfter('the bank is busy', wait) ?? new Error('busy');
    }
    if (!answer.ok) throw new Error(`the bank answers ${answer.status}`); // tried again
  }
}

// Told of every dead letter of all actors, once each.
@Actor({ name: 'alerts' })
export class AlertsActor {
  readonly alerts: string[] = [];

  @OnDeadLetter()
  alert({ type, reason, error }: DeadLetterAdded) {
    this.alerts.push(`${type} ${reason}: ${error.message}`);
  }
}

const providers = [PaymentActor, AlertsActor, Bank];
const answer = (status: number, headers = {}) => new Response(null, { status, headers });

describe('supervision', () => {
  it('retries, waits as told, rejects', async () => {
    const t = await TestCallsheet.create({ providers });
    const bank = t.get(Bank);
    bank.answers = [answer(500), answer(429, { 'retry-after': '120' }), answer(200)];
    await t.actors.tell(new Charge({ card: '1' }));
    await t.advance('1s');
    expect(bank.asked).toBe(2);
    await t.advance('119s');
    expect(bank.asked).toBe(2);
    await t.advance('1s');
    expect(bank.asked).toBe(3);
    bank.answers = [answer(402)];
    await t.actors.tell(new Charge({ card: '2' }));
    await t.drain();
    expect(t.dead).toMatchObject([{ reason: 'rejected', history: [{ attempt: 1 }] }]);
    expect(t.get(AlertsActor).alerts).toEqual(['payment.charge rejected: the card is refused']);
    await t.close();
  });

  it('pauses while the bank is away, and uses no attempt', async () => {
    const t = await TestCallsheet.create({ providers });
    const bank = t.get(Bank);
    await t.actors.tell(new Charge({ card: '1' }));
    await t.advance('29s');
    expect(bank.asked).toBe(1);
    await t.advance('1s');
    expect(bank.asked).toBe(2); // the probe fails: now it waits twice as long
    bank.answers = [answer(200)];
    await t.advance('1m');
    expect(bank.asked).toBe(3);
    expect(t.dead).toEqual([]);
    await t.close();
  });
});
