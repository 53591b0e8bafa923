import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual.clock.js';
import type {
  AttemptRecord,
  ConsumeOptions,
  Consumer,
  Delivery,
  Effects,
  Outcome,
  StoredState,
} from '../../engine.js';
import { generateId, type Envelope } from '../../envelope.js';
import {
  CancelledError,
  IdempotencyConflictError,
  LockLostError,
  MailboxFullError,
  MessageActiveError,
  StoppingError,
} from '../../messaging.errors.js';
import { resolveOptions, type CallsheetOptions } from '../../messaging.options.js';
import { MemoryEngine } from './memory.engine.js';

const clock = new VirtualClock();
let engines: MemoryEngine[] = [];

afterEach(async () => {
  for (const engine of engines) await engine.close();
  engines = [];
  if (clock.pending > 0) throw new Error('a closed engine left timers behind');
});

function open(options: CallsheetOptions = {}): MemoryEngine {
  const engine = new MemoryEngine(resolveOptions({ url: 'memory:', ...options }), clock);
  engines.push(engine);
  return engine;
}

function envelope(name: string, fields: Partial<Envelope> = {}): Envelope {
  return {
    id: generateId('shop'),
    type: 'shop.do',
    version: 1,
    actor: 'shop',
    data: { name },
    priority: 100,
    sentAt: clock.now(),
    headers: {},
    ...fields,
  };
}

/** Named ones, so that they can be sent again and found. */
const named = (id: string, fields: Partial<Envelope> = {}): Envelope =>
  envelope(id, { id, fingerprint: 'same', ...fields });

const keyed = (key: string, name: string, fields: Partial<Envelope> = {}): Envelope =>
  named(`${key}-${name}`, { key, ...fields });

function failure({ attempt, startedAt }: Delivery): AttemptRecord {
  return { attempt, startedAt, finishedAt: clock.now(), error: { name: 'Boom', message: 'no' } };
}

const done = (effects?: Effects): Outcome => ({ kind: 'done', ...(effects && { effects }) });
const retry = (delivery: Delivery, delay: number): Outcome => ({
  kind: 'retry',
  delay,
  attempt: failure(delivery),
});
const dead = (delivery: Delivery): Outcome => ({
  kind: 'dead',
  reason: 'rejected',
  attempt: failure(delivery),
});

interface Started {
  name: string;
  delivery: Delivery;
  end(outcome?: Outcome): Promise<void>;
}

/** A consumer whose turns end when the test says so, each in its own way. */
class Hand {
  readonly started: Started[] = [];
  consumer!: Consumer;

  static async on(
    engine: MemoryEngine,
    options: Partial<ConsumeOptions> = {},
    actor = 'shop',
  ): Promise<Hand> {
    const hand = new Hand();
    hand.consumer = await engine.consume(actor, { concurrency: 10, ...options }, (delivery) => {
      return new Promise((resolve) => {
        hand.started.push({
          name: delivery.envelope.id,
          delivery,
          end: async (outcome = done()) => {
            resolve(outcome);
            await settled();
          },
        });
      });
    });
    await settled();
    return hand;
  }

  get names(): string[] {
    return this.started.map(({ name }) => name);
  }

  get last(): Started {
    return this.started.at(-1)!;
  }

  /** Ends the turn of that message, the latest one if there were several. */
  async end(name: string, outcome?: (delivery: Delivery) => Outcome): Promise<void> {
    const turn = this.started.findLast((each) => each.name === name)!;
    await turn.end(outcome?.(turn.delivery));
  }
}

const settled = (): Promise<void> => clock.advance(0);

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

const stateOf = (revision: number, n: number): StoredState => ({
  revision,
  version: 1,
  data: { n },
});

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
    expect(hand.last.delivery.signal.reason).toEqual(new CancelledError('long'));
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
    expect(hand.last.delivery.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(hand.last.delivery.signal.reason).toEqual(new StoppingError());
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
    const engine = new Dying(resolveOptions({ url: 'memory:' }), clock);
    engines.push(engine);
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

describe('subscriptions', () => {
  it('are replaced whole, and listed in order', async () => {
    const engine = open();
    await engine.subscribe('b', ['order.placed', 'order.paid']);
    await engine.subscribe('a', ['order.placed']);
    expect(await engine.subscribers('order.placed')).toEqual(['a', 'b']);
    await engine.subscribe('b', ['order.paid']);
    expect(await engine.subscribers('order.placed')).toEqual(['a']);
    expect(await engine.subscribers('order.lost')).toEqual([]);
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

  it('passes for schedules: each occurrence once, and none of one that was changed', async () => {
    const engine = open();
    const occurrences: string[] = [];
    await engine.consume('shop', { concurrency: 1 }, async ({ occurrence = 0, startedAt }) => {
      occurrences.push(new Date(occurrence).toISOString().slice(11, 16));
      expect(startedAt).toBe(occurrence);
      return done();
    });
    const spec = { id: 'shop.tick', actor: 'shop', tz: 'UTC', priority: 100 } as const;
    const midnight = Math.ceil(clock.now() / 86_400_000) * 86_400_000;
    await clock.advance(midnight - clock.now());
    await engine.putSchedule({ ...spec, cron: '0 7 * * *' });
    await clock.advance('1h');
    await engine.putSchedule({ ...spec, cron: '0 7 * * *' });
    await engine.putSchedule({ ...spec, cron: '30 */6 * * *' });
    await clock.advance('23h');
    expect(occurrences).toEqual(['06:30', '12:30', '18:30']);
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
