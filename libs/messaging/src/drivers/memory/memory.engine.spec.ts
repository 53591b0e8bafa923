import { describe, expect, it } from 'vitest';
import { type Envelope } from '../../envelope.js';
import { CancelledError, StoppingError } from '../../messaging.errors.js';
import { MemoryEngine } from './memory.engine.js';
import {
  clock,
  open,
  envelope,
  named,
  keyed,
  done,
  retry,
  dead,
  Hand,
  settled,
  stateOf,
} from '../../../../../test/support/memory.hand.js';

describe('cancelling', () => {
  it('ends what waits, is parked or delayed, and lets its key go on', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([keyed('a', '1'), keyed('a', '2'), keyed('a', '3')]);
    await engine.send([named('late', { dueAt: clock.now() + 100 })]);
    await settled();
    await hand.end('a-1', (delivery) => retry(delivery, 1_000));
    for (const id of ['a-1', 'a-3', 'late']) {
      expect(await engine.cancel(id, ['shop'])).toBe('cancelled');
      expect(await engine.cancel(id, ['shop'])).toBe('ended');
      expect(await engine.find(id, ['shop'])).toMatchObject({
        state: 'cancelled',
        finishedAt: clock.now(),
      });
    }
    expect(await engine.cancel('unknown', ['shop'])).toBe('unknown');
    expect(await engine.cancel('a-2', ['other'])).toBe('unknown');
    await clock.advance(5_000);
    await hand.end('a-2');
    expect(hand.names).toEqual(['a-1', 'a-2']);
    expect(await engine.counts('shop')).toMatchObject({ done: 4, waiting: 0, delayed: 0 });
    expect(await engine.finished('shop', 10)).toHaveLength(1);
  });

  it('tells one in work to stop, and says so if it is given out again', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([named('long')]);
    await settled();
    expect(hand.last.delivery.isCancelled).toBe(false);
    expect(await engine.cancel('long', ['shop'])).toBe('cancelling');
    expect(hand.last.delivery.stop.signal.reason).toEqual(new CancelledError('long'));
    await hand.end('long', () => ({ kind: 'release' }));
    expect(hand.last.delivery).toMatchObject({ isCancelled: true, attempt: 1 });
    await hand.end('long', () => ({ kind: 'cancelled' }));
    expect((await engine.find('long', ['shop']))?.state).toBe('cancelled');
    expect(await engine.cancel('long', ['shop'])).toBe('ended');
  });
});

describe('dead letters', () => {
  it('are redriven with other data, and discarded', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([named('a', { types: { values: {} } }), named('b')]);
    await settled();
    await hand.end('a', dead);
    await hand.end('b', dead);
    expect(await engine.redrive('a', ['shop'], { data: { mended: true } })).toBe(true);
    await settled();
    expect(hand.last.delivery).toMatchObject({ attempt: 1, history: [{ attempt: 1 }] });
    expect(hand.last.delivery.envelope.data).toEqual({ mended: true });
    expect(hand.last.delivery.envelope.types).toBeUndefined();
    expect(await engine.discard('a', ['shop'])).toBe(false);
    expect(await engine.discard('b', ['shop'])).toBe(true);
    expect(await engine.discard('b', ['shop'])).toBe(false);
    expect(await engine.find('b', ['shop'])).toBeUndefined();
    expect(await engine.counts('shop')).toMatchObject({ dead: 0 });
  });

  it('are kept by number and age, the oldest are dropped first', async () => {
    const engine = open({ keepDead: { count: 2, age: '1h' } });
    const hand = await Hand.on(engine);
    for (const name of ['1', '2', '3']) {
      await engine.send([named(name)]);
      await clock.advance('10m');
      await hand.end(name, dead);
    }
    const listed = async (): Promise<string[]> =>
      (await engine.deadLetters(['shop'], { limit: 9 })).map(({ envelope: { id } }) => id);
    expect(await listed()).toEqual(['3', '2']);
    await clock.advance('51m');
    expect(await listed()).toEqual(['3']);
    await clock.advance('10m');
    expect(await listed()).toEqual([]);
    expect(await engine.find('3', ['shop'])).toBeUndefined();
  });
});

describe('a consumer', () => {
  it('starts no more in a span of time than the rate limit, over all consumers', async () => {
    const engine = open();
    const rateLimit = { max: 3, per: 1_000 };
    const began = clock.now();
    const starts: number[] = [];
    for (let n = 0; n < 2; n++) {
      await engine.consume('shop', { concurrency: 5, rateLimit }, async () => {
        starts.push(clock.now() - began);
        return done();
      });
    }
    await engine.send([envelope('1')]);
    await clock.advance(600);
    await engine.send(Array.from({ length: 7 }, () => envelope('more')));
    await clock.advance(3_000);
    expect(starts).toEqual([0, 600, 600, 1_000, 1_600, 1_600, 2_000, 2_600]);
  });

  it('takes as many as it is told to, from the next on', async () => {
    const engine = open();
    const hand = await Hand.on(engine, { concurrency: 2 });
    await engine.send(['1', '2', '3', '4', '5'].map((name) => named(name)));
    await settled();
    expect(hand.names).toEqual(['1', '2']);
    hand.consumer.limit(0);
    await hand.end('1');
    await hand.end('2');
    expect(hand.names).toHaveLength(2);
    hand.consumer.limit(1);
    await settled();
    expect(hand.names).toEqual(['1', '2', '3']);
    hand.consumer.limit(2);
    await settled();
    expect(hand.names).toEqual(['1', '2', '3', '4']);
  });

  it('hands back after its grace, by the clock, and leaves behind what does not stop', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    await engine.send([named('good'), named('deaf')]);
    await settled();
    let isStopped = false;
    const stopped = hand.consumer.stop(100).then(() => (isStopped = true));
    await clock.advance(99);
    expect(hand.last.delivery.stop.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(hand.last.delivery.stop.signal.reason).toEqual(new StoppingError());
    await hand.end('good', () => ({ kind: 'release' }));
    expect(isStopped).toBe(false);
    await clock.advance(2_500);
    await stopped;
    expect(await engine.counts('shop')).toMatchObject({ active: 1, waiting: 1 });
  });

  it('shares nothing with the sender, nor with other deliveries', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    const sent = named('one', { headers: { a: '1' } });
    await engine.send([sent]);
    sent.data['name'] = 'changed by the sender';
    await settled();
    expect(hand.last.delivery.envelope.data).toEqual({ name: 'one' });
    hand.last.delivery.envelope.data['name'] = 'changed by the handler';
    hand.last.delivery.envelope.headers['a'] = '2';
    await hand.end('one', (delivery) => retry(delivery, 0));
    const found = await engine.find('one', ['shop']);
    found!.envelope.data['name'] = 'changed by the reader';
    found!.history.pop();
    expect(hand.last.delivery.envelope).toMatchObject({
      data: { name: 'one' },
      headers: { a: '1' },
    });
    expect(hand.last.delivery.history).toHaveLength(1);
  });
});

describe('a process that dies', () => {
  class Dying extends MemoryEngine {
    die(): void {
      this.messages.loseAll(this.messages.queue('shop').abandon());
    }
  }

  it('has its messages given out again in their place, and what it does too late counts for nothing', async () => {
    const engine = open({}, Dying);
    const hand = await Hand.on(engine, { concurrency: 2 });
    await engine.send([keyed('a', '1'), keyed('a', '2'), named('plain'), named('later')]);
    await settled();
    const [first, second] = hand.started;
    engine.die();
    await settled();
    expect(hand.names).toEqual(['a-1', 'plain', 'a-1', 'plain']);
    expect(hand.last.delivery).toMatchObject({
      crashes: 1,
      attempt: 1,
      isFirst: false,
      history: [],
    });
    await first!.end(done({ sends: [named('ghost')], state: stateOf(0, 1) }));
    await second!.end(dead(second!.delivery));
    expect(await engine.counts('shop')).toMatchObject({ active: 2, waiting: 2, done: 0, dead: 0 });
    expect(await engine.find('ghost', ['shop'])).toBeUndefined();
    expect(await engine.state('shop', 'a')).toBeUndefined();
    await hand.end('a-1');
    await hand.end('plain');
    expect(hand.names.slice(4)).toEqual(['later', 'a-2']);
    expect(hand.last.delivery.crashes).toBe(0);
  });
});

describe('an inbox', () => {
  it('hears of the end of what it waits for, whatever end, until it stops listening', async () => {
    const engine = open();
    const hand = await Hand.on(engine);
    const heard: string[] = [];
    const stop = await engine.listen('mine', (id) => heard.push(id));
    const ask = (id: string, replyTo?: string): Envelope =>
      named(id, { ...(replyTo && { replyTo }) });
    await engine.send([ask('a', 'mine'), ask('b', 'mine'), ask('c'), ask('d', 'other')]);
    await engine.send([ask('e', 'mine'), ask('f', 'mine')]);
    await settled();
    await hand.end('a');
    await hand.end('b', dead);
    await hand.end('e', (delivery) => retry(delivery, 100));
    expect(heard).toEqual(['a', 'b']);
    await engine.cancel('e', ['shop']);
    for (const name of ['c', 'd']) await hand.end(name);
    await stop();
    await hand.end('f');
    expect(heard).toEqual(['a', 'b', 'e']);
  });
});

describe('time', () => {
  it('brings what is due at once in the order of due times, then as sent', async () => {
    const engine = open();
    const hand = await Hand.on(engine, { concurrency: 1 });
    const now = clock.now();
    for (const [name, wait] of [
      ['d', 30],
      ['b', 20],
      ['c', 20],
      ['a', 10],
    ] as const) {
      await engine.send([named(name, { dueAt: now + wait })]);
    }
    await engine.send([named('block')]);
    await clock.advance(30);
    for (const name of ['block', 'a', 'b', 'c', 'd']) await hand.end(name);
    expect(hand.names).toEqual(['block', 'a', 'b', 'c', 'd']);
  });
});

describe('a closed engine', () => {
  it('takes nothing more', async () => {
    const engine = open();
    await engine.send([named('late', { dueAt: clock.now() + 10 })]);
    await engine.close();
    await expect(engine.send([envelope('x')])).rejects.toThrow('the memory store is closed');
  });
});

describe('a hundred thousand messages', () => {
  it('are sent, parked, delayed, handled and dropped within the time of a test, which looking at all of them would take many times', async () => {
    const engine = open();
    let handled = 0;
    await engine.consume('shop', { concurrency: 100 }, async (delivery) => {
      handled++;
      return delivery.attempt === 1 && handled % 10 === 0 ? retry(delivery, 60_000) : done();
    });
    const key = (n: number): object =>
      n % 4 === 0 ? { key: 'hot' } : n % 4 === 1 ? { key: `${n}` } : {};
    const late = (n: number): object =>
      n % 4 === 3 ? { dueAt: clock.now() + 1_000 + (n % 7) } : {};
    for (let n = 0; n < 100_000; n += 1_000) {
      await engine.send(
        Array.from({ length: 1_000 }, (_, m) =>
          envelope('x', { ...key(n + m), ...late(n + m), priority: 1 + ((n + m) % 9) }),
        ),
      );
    }
    const counts = async (): Promise<number> => (await engine.counts('shop')).done;
    // The hot key's turns come one by one; its retries hold it up for a minute each.
    for (let n = 0; n < 5_000 && (await engine.counts('shop')).waiting > 0; n++) {
      await clock.advance(60_000, async () => {
        while ((await engine.counts('shop')).active > 0) await new Promise(setImmediate);
      });
    }
    expect((await engine.counts('shop')).dead).toBe(0);
    expect(handled).toBeGreaterThanOrEqual(100_000);
    expect(await counts()).toBeLessThanOrEqual(10_000);
  }, 120_000);
});
