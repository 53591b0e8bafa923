import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import { DeadLetterAdded, OnDeadLetter } from './dead.letter.event.js';
import { Message } from './message.js';
import { RejectError } from './messaging.errors.js';
import { TestCallsheet } from './testing/test.callsheet.js';
import type { Turn } from './turn.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

class Pay extends Message('bank.pay', z.object({ account: z.string(), card: z.string() }), {
  key: 'account',
  secret: ['card'],
}) {}

@Actor()
class BankActor {
  @Handle(Pay) pay({ card }: Pay): void {
    throw Object.assign(new RejectError(`card ${card} is blocked`), { code: 'E_BLOCKED' });
  }
}

const told: { letter: DeadLetterAdded; turn: Turn }[] = [];
let fails = false;

@Actor({ name: 'alerts', retry: { attempts: 1 } })
class Alerts {
  @OnDeadLetter() alert(letter: DeadLetterAdded, turn: Turn): void {
    told.push({ letter, turn });
    if (fails) throw new Error('pager is down');
  }
}

@Actor({ name: 'audit' })
class Audit {
  @OnDeadLetter() note(letter: DeadLetterAdded, turn: Turn): void {
    told.push({ letter, turn });
  }
}

let t: TestCallsheet;

beforeEach(async () => {
  told.length = 0;
  fails = false;
  t = await TestCallsheet.create({ providers: [BankActor, Alerts, Audit] });
  return () => t.close();
});

const pay = () => new Pay({ account: 'a-1', card: '4111111111111111' });

describe('the death of a message', () => {
  it('is told to each subscriber once, with what is known of it and without its secrets', async () => {
    await t.actors.tell(pay(), { id: 'p-1', tenant: 't1' });
    await t.drain();
    expect(told).toHaveLength(2);
    const [dead] = t.dead;
    for (const { letter } of told) {
      expect(Object.assign({}, letter)).toEqual({
        id: 'p-1',
        actor: 'bank',
        type: 'bank.pay',
        key: 'a-1',
        tenant: 't1',
        reason: 'rejected',
        fingerprint: dead?.fingerprint,
        attempts: 1,
        error: { name: 'RejectError', message: 'card [secret] is blocked', code: 'E_BLOCKED' },
      });
    }
    const turns = told.map(({ turn }) => turn);
    expect(turns.map(({ id }) => id.replace(/^.*@/, '')).sort()).toEqual(['alerts', 'audit']);
    for (const turn of turns) {
      expect(turn).toMatchObject({ correlationId: 'p-1', causationId: 'p-1' });
    }
  });

  it('of such a notice is told to nobody', async () => {
    fails = true;
    await t.actors.tell(pay());
    await t.drain();
    expect(t.dead.map(({ envelope }) => envelope.type)).toEqual(['bank.pay', 'dead-letters.added']);
    expect(told).toHaveLength(2);
    expect(t.sent(DeadLetterAdded)).toHaveLength(1);
  });

  it('is told again when it dies again', async () => {
    await t.actors.tell(pay());
    await t.drain();
    await t.redrive();
    await t.drain();
    expect(t.sent(DeadLetterAdded)).toHaveLength(2);
    expect(told).toHaveLength(4);
  });

  it('is no trouble when nobody subscribes', async () => {
    await using alone = await TestCallsheet.create({ providers: [BankActor] });
    await alone.actors.tell(pay());
    await alone.drain();
    expect(alone.dead).toHaveLength(1);
    expect(alone.sent(DeadLetterAdded)).toEqual([]);
  });
});
