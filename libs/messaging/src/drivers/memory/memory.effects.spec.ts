import { describe, expect, it } from 'vitest';
import type { Effects } from '../../engine.js';
import { type Envelope } from '../../envelope.js';
import {
  IdempotencyConflictError,
  LockLostError,
  MailboxFullError,
  MessageActiveError,
} from '../../messaging.errors.js';
import {
  clock,
  open,
  named,
  keyed,
  failure,
  done,
  retry,
  dead,
  Hand,
  settled,
  stateOf,
} from '../../../../../test/support/memory.hand.js';

describe('the effects of a turn', () => {
  it('are stored with its end: state, sends and reply', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1')]);
    await settled();
    expect(hand.last.delivery.state).toBeUndefined();
    const reply = { data: { ok: true } };
    const sends = [keyed('a', '2'), named('next', { priority: 1 })];
    const effects = { sends, state: stateOf(0, 7), reply };
    await hand.end('a-1', () => done(effects));
    // The store shares nothing with the turn.
    effects.state.data = { n: 8 };
    reply.data.ok = false;
    expect(await engine.state('shop', 'a')).toEqual({ revision: 1, version: 1, data: { n: 7 } });
    expect(await engine.state('shop', 'b')).toBeUndefined();
    expect((await engine.find('a-1', ['shop']))?.reply).toEqual({ data: { ok: true } });
    expect(hand.names).toEqual(['a-1', 'next', 'a-2']);
    expect(hand.last.delivery.state).toEqual({ revision: 1, version: 1, data: { n: 7 } });
    (hand.last.delivery.state as { data: object }).data = { n: 0 };
    expect(await engine.state('shop', 'a')).toMatchObject({ data: { n: 7 } });
    await hand.end('a-2', () => done({ sends: [], state: stateOf(1, 9) }));
    expect(await engine.state('shop', 'a')).toEqual({ revision: 2, version: 1, data: { n: 9 } });
  });

  it.each<[string, () => Effects, Error]>([
    [
      'an id with another body',
      () => ({ sends: [named('fine'), named('taken', { fingerprint: 'other' })] }),
      new IdempotencyConflictError('taken'),
    ],
    [
      'a full mailbox',
      () => ({ sends: [named('fine'), keyed('full', '2')] }),
      new MailboxFullError('shop', 'full', 1),
    ],
    [
      'a message in work',
      () => ({ sends: [named('fine'), named('working', { replace: true })] }),
      new MessageActiveError('working'),
    ],
    [
      'a state that has changed meanwhile',
      () => ({ sends: [named('fine')], state: stateOf(3, 1) }),
      new LockLostError(),
    ],
  ])('are refused whole for %s', async (_, effects, error) => {
    const engine = open();
    const hand = await Hand.on(engine, { mailbox: 1 });
    await engine.send([keyed('full', '0'), named('working')]);
    await settled();
    await engine.send([keyed('full', '1'), named('taken', { dueAt: clock.now() + 1e6 })]);
    await engine.send([keyed('a', '1')]);
    await settled();
    const refusals: unknown[] = [];
    await hand.end('a-1', (delivery) => ({
      kind: 'done',
      effects: { state: stateOf(0, 1), reply: { data: 1 }, ...effects() },
      refused: (refusal) => {
        refusals.push(refusal);
        return Promise.resolve(retry(delivery, 1_000));
      },
    }));
    expect(refusals).toEqual([error]);
    expect(await engine.state('shop', 'a')).toBeUndefined();
    expect(await engine.find('fine', ['shop'])).toBeUndefined();
    expect(await engine.find('a-1', ['shop'])).toMatchObject({
      state: 'delayed',
      history: [{ attempt: 1 }],
    });
    expect((await engine.find('a-1', ['shop']))?.reply).toBeUndefined();
  });

  it('may move the timer that has their own message’s id', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([named('timer')]);
    await settled();
    const next = named('timer', { replace: true, fingerprint: 'next', dueAt: clock.now() + 50 });
    await hand.end('timer', () => done({ sends: [next] }));
    expect(await engine.counts('shop')).toMatchObject({ delayed: 1, done: 0 });
    await clock.advance(50);
    expect(hand.names).toEqual(['timer', 'timer']);
  });

  it('are stored with a dead letter too', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([named('bad')]);
    await settled();
    await hand.end('bad', (delivery) => ({
      kind: 'dead',
      reason: 'exhausted',
      attempt: failure(delivery),
      sends: [named('notice')],
    }));
    expect(hand.last.name).toBe('notice');
  });
});

describe('replacing', () => {
  it('moves a timer, forwards and backwards, in whatever state but in work', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    const at = (wait: number, name: string): Envelope =>
      named('timer', { replace: true, dueAt: clock.now() + wait, fingerprint: name });
    await engine.send([at(100, 'first')]);
    await engine.send([at(1_000, 'second')]);
    await clock.advance(500);
    expect(hand.names).toEqual([]);
    await engine.send([at(100, 'third')]);
    await clock.advance(100);
    expect(hand.names).toEqual(['timer']);
    await expect(engine.send([at(5, 'fourth')])).rejects.toThrow(new MessageActiveError('timer'));
    await hand.end('timer', dead);
    await engine.send([at(5, 'fifth')]);
    expect(await engine.counts('shop')).toMatchObject({ delayed: 1, dead: 0 });
    await clock.advance(5);
    await hand.end('timer');
    await engine.send([at(0, 'sixth')]);
    await settled();
    expect(hand.names).toEqual(['timer', 'timer', 'timer']);
    expect(await engine.counts('shop')).toMatchObject({ active: 1, done: 0 });
  });

  it('takes the last of several in one step, and frees the place in a mailbox', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    const move = (fields: Partial<Envelope>): Envelope =>
      keyed('a', 't', { replace: true, ...fields });
    await engine.send([keyed('a', '1'), move({}), keyed('a', '2'), move({ priority: 9 })]);
    await settled();
    for (const name of ['a-1', 'a-2', 'a-t']) await hand.end(name);
    expect(hand.names).toEqual(['a-1', 'a-2', 'a-t']);
    expect(hand.last.delivery.envelope.priority).toBe(9);
  });
});
