import { describe, expect, it } from 'vitest';
import { MailboxFullError } from '../../messaging.errors.js';
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

describe('a keyed mailbox', () => {
  it('has one turn at a time, in the order sent; keys do not wait for each other', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1'), keyed('a', '2'), keyed('b', '1'), keyed('a', '3')]);
    await settled();
    expect(hand.names).toEqual(['a-1', 'b-1']);
    expect((await engine.find('a-2', ['shop']))?.state).toBe('parked');
    expect(await engine.counts('shop')).toMatchObject({ active: 2, waiting: 2 });
    await hand.end('a-1');
    expect(hand.names).toEqual(['a-1', 'b-1', 'a-2']);
    await hand.end('a-2');
    await hand.end('a-3');
    expect(hand.names).toEqual(['a-1', 'b-1', 'a-2', 'a-3']);
    expect(await engine.counts('shop')).toMatchObject({ active: 1, waiting: 0, done: 3 });
  });

  it('waits for its head through retries, hand-backs and their delays, others do not', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1'), keyed('a', '2'), keyed('b', '1')]);
    await settled();
    await hand.end('a-1', (delivery) => retry(delivery, 60_000));
    await hand.end('b-1');
    await engine.send([keyed('b', '2')]);
    await settled();
    expect(hand.names).toEqual(['a-1', 'b-1', 'b-2']);
    expect((await engine.find('a-1', ['shop']))?.state).toBe('delayed');
    await clock.advance(59_999);
    expect(hand.names).toHaveLength(3);
    await clock.advance(1);
    expect(hand.names).toEqual(['a-1', 'b-1', 'b-2', 'a-1']);
    expect(hand.last.delivery).toMatchObject({ attempt: 2, isFirst: false });
    await hand.end('a-1', () => ({ kind: 'release', delay: 5_000 }));
    await clock.advance(5_000);
    await hand.end('a-1', () => ({ kind: 'release' }));
    expect(hand.last).toMatchObject({ name: 'a-1', delivery: { attempt: 2 } });
    await hand.end('a-1', dead);
    expect(hand.last.name).toBe('a-2');
  });

  it('is joined by a delayed message when that is due, at the end', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', 'late', { dueAt: clock.now() + 100 }), keyed('a', '1')]);
    await settled();
    expect(hand.names).toEqual(['a-1']);
    await engine.send([keyed('a', '2')]);
    await clock.advance(100);
    await engine.send([keyed('a', '3')]);
    for (const name of ['1', '2', 'late', '3']) await hand.end(`a-${name}`);
    expect(hand.names).toEqual(['a-1', 'a-2', 'a-late', 'a-3']);
  });

  it('is served by the priority of its head, and never reordered inside', async () => {
    const engine = open();
    await engine.send([
      keyed('a', 'low', { priority: 500 }),
      keyed('a', 'urgent', { priority: 1 }),
      named('plain', { priority: 200 }),
      keyed('b', 'high', { priority: 10 }),
    ]);
    const hand = await Hand.on(engine, { concurrency: 1 });
    for (const name of ['b-high', 'plain', 'a-low', 'a-urgent']) await hand.end(name);
    expect(hand.names).toEqual(['b-high', 'plain', 'a-low', 'a-urgent']);
  });

  it('does not hold up other keys when it is long', async () => {
    const engine = open();
    await engine.send([
      ...Array.from({ length: 5 }, (_, n) => keyed('long', `${n}`)),
      keyed('x', '0'),
      named('plain'),
    ]);
    const hand = await Hand.on(engine, { concurrency: 1 });
    for (let n = 0; n < 4; n++) await hand.last.end();
    expect(hand.names).toEqual(['long-0', 'x-0', 'plain', 'long-1', 'long-2']);
  });

  it('refuses more messages than it may hold; the one in work, delayed ones and reads do not count', async () => {
    const engine = open();
    const hand = await Hand.on(engine, { mailbox: 2, reads: new Set(['shop.look']) });
    await engine.send([keyed('a', '1')]);
    await settled();
    const later = clock.now() + 50;
    await engine.send([keyed('a', '2'), keyed('a', '3'), keyed('a', 'later', { dueAt: later })]);
    await engine.send([keyed('a', '3')]);
    const full = new MailboxFullError('shop', 'a', 2);
    await expect(engine.send([keyed('b', '1'), keyed('a', '4')])).rejects.toThrow(full);
    expect(await engine.find('b-1', ['shop'])).toBeUndefined();
    const many = ['1', '2', '3'].map((name) => keyed('c', name));
    await expect(engine.send(many)).rejects.toThrow(new MailboxFullError('shop', 'c', 2));
    await engine.send([keyed('a', 'look', { type: 'shop.look' })]);
    // One that takes the place of another needs no more room.
    await engine.send([keyed('a', '3', { replace: true, fingerprint: 'moved' })]);
    await clock.advance(50);
    expect(await engine.counts('shop')).toMatchObject({ waiting: 3, active: 2 });
    await hand.end('a-1');
    await expect(engine.send([keyed('a', '4')])).rejects.toThrow(full);
    await hand.end('a-2');
    await engine.send([keyed('a', '4')]);
  });

  it('lets reads pass: they see the committed state, and need not wait', async () => {
    const engine = open();
    await engine.send([keyed('a', '1'), keyed('a', 'early', { type: 'shop.look' })]);
    const hand = await Hand.on(engine, { reads: new Set(['shop.look']) });
    expect(hand.names).toEqual(['a-1', 'a-early']);
    await hand.end('a-1', () => done({ sends: [], state: stateOf(0, 1) }));
    await engine.send([keyed('a', '2'), keyed('a', 'look', { type: 'shop.look' })]);
    await settled();
    expect(hand.names).toEqual(['a-1', 'a-early', 'a-2', 'a-look']);
    expect(hand.last.delivery.state).toEqual({ revision: 1, version: 1, data: { n: 1 } });
  });

  it('stops when quarantined, keeps what comes, and goes on when released', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1'), keyed('a', '2'), keyed('b', '1')]);
    await settled();
    const since = clock.now();
    await hand.end('a-1', (delivery) => ({ kind: 'quarantine', attempt: failure(delivery) }));
    await engine.send([keyed('a', '3')]);
    await clock.advance('30d');
    expect(hand.names).toEqual(['a-1', 'b-1']);
    const head = await engine.find('a-1', ['shop']);
    expect(await engine.quarantined('shop')).toEqual([
      {
        key: 'a',
        since,
        storageId: head?.storageId,
        attempt: { attempt: 1, startedAt: since, finishedAt: since, error: expect.anything() },
        depth: 3,
      },
    ]);
    expect(head).toMatchObject({ state: 'parked', history: [{ attempt: 1 }] });
    expect(await engine.release('shop', 'a')).toBe(true);
    expect(await engine.release('shop', 'a')).toBe(false);
    expect(await engine.release('shop', 'never')).toBe(false);
    expect(await engine.quarantined('shop')).toEqual([]);
    await settled();
    expect(hand.last.delivery).toMatchObject({ envelope: { id: 'a-1' }, attempt: 2 });
    for (const name of ['a-1', 'a-2', 'a-3']) await hand.end(name);
    expect(hand.names.slice(2)).toEqual(['a-1', 'a-2', 'a-3']);
  });

  it('stays quarantined when its head is cancelled, and when it is empty', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1')]);
    await settled();
    await hand.end('a-1', (delivery) => ({ kind: 'quarantine', attempt: failure(delivery) }));
    expect(await engine.cancel('a-1', ['shop'])).toBe('cancelled');
    await engine.send([keyed('a', '2')]);
    await settled();
    expect(hand.names).toEqual(['a-1']);
    expect(await engine.quarantined('shop')).toMatchObject([{ key: 'a', depth: 1 }]);
    await engine.release('shop', 'a');
    await settled();
    expect(hand.last.name).toBe('a-2');
  });

  it('gets redriven letters back at its end, in the order in which they died', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    const names = ['1', '2', '3', '4'];
    await engine.send(names.map((name) => keyed('a', name)));
    await settled();
    // All in the same moment, so that their times do not tell.
    for (const name of names) await hand.end(`a-${name}`, dead);
    await engine.send([keyed('a', 'block'), keyed('a', 'before')]);
    await settled();
    for (const name of ['3', '1', '4', '2']) await engine.redrive(`a-${name}`, ['shop']);
    await engine.send([keyed('a', 'after')]);
    const expected = ['block', 'before', '1', '2', '3', '4', 'after'].map((name) => `a-${name}`);
    for (const name of expected) await hand.end(name);
    expect(hand.names.slice(4)).toEqual(expected);
  });
});
