import { Redis } from 'ioredis';
import type { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Context, done, retry, type Consumed } from '../../../../../test/contract/context.js';
import { field, ids, reaches } from '../../../../../test/contract/expect.js';
import { gate, type Gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { Engine } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { TurnBackend } from './bullmq.store.js';
import { PREFIX } from './redis.keys.js';

serverSuite('redis-server', 'mailboxes on Redis, whatever an operator does', () => {
  let server: RedisServer;
  let redis: Redis;
  let context: Context;
  let engine: Engine;
  let queue: Queue;
  let backend: TurnBackend;
  let prefix: string;
  let held: Gate;
  let consumed: Consumed;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    const driver = { name: 'Redis', url: async () => server.url, lacks: {} };
    context = new Context(driver, server.url);
    engine = await context.engine();
    queue = engine.queue?.(context.actor) as Queue;
    backend = queue.getBackend() as unknown as TurnBackend;
    prefix = `${PREFIX}:${context.actor}:`;
    held = gate();
  });
  afterEach(async () => {
    held.open();
    await context.close();
  });

  /** Consumes; the first message of every key that says `hold` is held until the gate opens. */
  async function consume(): Promise<void> {
    consumed = await context.consume(
      engine,
      async (delivery) => {
        const { data } = delivery.envelope;
        if (data['hold']) await held.opened;
        if (data['later'] && delivery.attempt === 1) return retry(60_000)(delivery);
        return done();
      },
      { concurrency: 4 },
    );
  }

  /** Messages of one key: the first is held in work, the others are parked. */
  async function line(key: string, length: number): Promise<Envelope[]> {
    const sent = Array.from({ length }, (_, n) =>
      context.envelope({ key, data: { n, hold: n === 0 } }),
    );
    await engine.send(sent);
    await eventually(() => ids(consumed.deliveries).includes(sent[0]!.id));
    return sent;
  }

  const sound = async (): Promise<void> => expect(await backend.heal()).toEqual([]);
  const handled = (): unknown[] => field(consumed.deliveries, 'n');
  const doneIs = (count: number): Promise<unknown> =>
    eventually(async () => (await engine.counts(context.actor)).done === count);

  it('removing parked messages leaves the others in order', async () => {
    await consume();
    const sent = await line('k', 5);
    await queue.remove(sent[2]!.id);
    await (await queue.getJob(sent[4]!.id))?.remove();
    await sound();
    held.open();
    await doneIs(3);
    expect(handled()).toEqual([0, 1, 3]);
  });

  it('removing the first makes the next runnable', async () => {
    const sent = [0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } }));
    await engine.send(sent);
    await queue.remove(sent[0]!.id);
    await sound();
    expect((await engine.find(sent[1]!.id, [context.actor]))?.state).toBe('waiting');
    await consume();
    await doneIs(2);
    expect(handled()).toEqual([1, 2]);
  });

  it('one in work is not removed, and keeps its key', async () => {
    await consume();
    const sent = await line('k', 2);
    expect(await queue.remove(sent[0]!.id)).toBe(0);
    held.open();
    await doneIs(2);
  });

  it('draining drops all that wait, parked ones too, and the key goes on', async () => {
    await consume();
    await line('k', 4);
    await queue.drain();
    await sound();
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 0, active: 1 });
    const after = context.envelope({ key: 'k', data: { n: 'after' } });
    await engine.send([after]);
    expect((await engine.find(after.id, [context.actor]))?.state).toBe('parked');
    held.open();
    await doneIs(2);
    expect(handled()).toEqual([0, 'after']);
  });

  it('draining with what is delayed frees a key that waits for a retry', async () => {
    await consume();
    const late = context.envelope({ key: 'k', data: { later: true } });
    await engine.send([late, context.envelope({ key: 'k' })]);
    await reaches(context, engine, late.id, 'delayed');
    await queue.drain(true);
    await sound();
    const after = context.envelope({ key: 'k' });
    await engine.send([after]);
    await reaches(context, engine, after.id, 'done');
    expect(await engine.find(late.id, [context.actor])).toBeUndefined();
  });

  it.each(['prioritized', 'delayed'] as const)(
    'cleaning %s messages lets their keys go on',
    async (type) => {
      const first =
        type === 'prioritized'
          ? [context.envelope({ key: 'k' })]
          : [context.envelope({ key: 'k', data: { later: true } })];
      if (type === 'delayed') await consume();
      await engine.send([...first, context.envelope({ key: 'k', data: { n: 1 } })]);
      if (type === 'delayed') await reaches(context, engine, first[0]!.id, 'delayed');
      expect(await queue.clean(0, 100, type)).toEqual(ids(first));
      await sound();
      if (type === 'prioritized') await consume();
      await doneIs(1);
    },
  );

  it('obliterating leaves no message and no mailbox, but the states of keys', async () => {
    const { deliveries, consumer } = await context.consume(engine, ({ state }) => ({
      kind: 'done',
      effects: { sends: [], state: { data: 1, revision: state?.revision ?? 0, version: 1 } },
    }));
    await engine.send([context.envelope({ key: 'k' })]);
    await eventually(
      async () => deliveries.length === 1 && (await engine.counts(context.actor)).done === 1,
    );
    await consumer.stop(0);
    await engine.send([0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } })));
    await queue.obliterate();
    const left = (await redis.keys('*')).filter((key) => key.startsWith(prefix)).sort();
    expect(left).toEqual(
      ['arrivals', 'events', 'state:k']
        .map((name) => prefix + name)
        .filter((key) => left.includes(key)),
    );
    expect(left).toContain(`${prefix}state:k`);
    await engine.send([context.envelope({ key: 'k', data: { n: 'after' } })]);
    await consume();
    await doneIs(1);
    expect(await engine.state(context.actor, 'k')).toMatchObject({ revision: 1 });
  });

  it('promoting a timer puts it behind what waits for its key', async () => {
    await consume();
    await line('k', 2);
    const far = () =>
      context.envelope({ key: 'k', dueAt: Date.now() + 60_000, data: { n: 'far' } });
    const [one, two] = [far(), far()];
    await engine.send([one, two]);
    await (await queue.getJob(one.id))?.promote();
    expect((await engine.find(one.id, [context.actor]))?.state).toBe('parked');
    await queue.promoteJobs();
    expect((await engine.find(two.id, [context.actor]))?.state).toBe('parked');
    await sound();
    held.open();
    await doneIs(4);
    expect(handled()).toEqual([0, 1, 'far', 'far']);
  });

  it('promoting one that waits for a retry keeps its place', async () => {
    await consume();
    const late = context.envelope({ key: 'k', data: { n: 0, later: true } });
    await engine.send([late, context.envelope({ key: 'k', data: { n: 1 } })]);
    await reaches(context, engine, late.id, 'delayed');
    await queue.promoteJobs();
    await doneIs(2);
    expect(handled()).toEqual([0, 0, 1]);
  });

  it('running handled messages again puts them behind what waits', async () => {
    await consume();
    const first = context.envelope({ key: 'k', data: { n: 'again' } });
    await engine.send([first]);
    await doneIs(1);
    await line('k', 2);
    await (await queue.getJob(first.id))?.retry('completed');
    expect((await engine.find(first.id, [context.actor]))?.state).toBe('parked');
    await sound();
    held.open();
    await doneIs(3);
    expect(handled()).toEqual(['again', 0, 1, 'again']);
    await queue.retryJobs({ state: 'completed' });
    await doneIs(3);
    await sound();
  });

  it('what somebody deletes or moves by hand is mended, and named', async () => {
    const sent = [0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } }));
    const other = context.envelope({ key: 'l', data: { n: 'l' } });
    const stray = context.envelope({ key: 's', data: { n: 's' } });
    await engine.send([...sent, other, stray]);
    // The first of k is deleted, that of l taken out of its queue, s knows nothing of its mailbox.
    await redis.del(prefix + sent[0]!.id);
    await redis.zrem(`${prefix}prioritized`, sent[0]!.id, other.id, stray.id);
    await redis.del(`${prefix}mailbox:s`);
    await redis.zadd(`${prefix}waiting-children`, 1, stray.id);
    expect((await backend.heal()).sort()).toEqual(['k', 'l', 's']);
    await sound();
    await consume();
    await doneIs(4);
    expect(handled().filter((n) => typeof n === 'number')).toEqual([1, 2]);
    expect(await redis.exists(`${prefix}mailboxes`)).toBe(0);
  });

  it('a key with many messages holds up another for one turn at most', async () => {
    const many = Array.from({ length: 500 }, (_, n) =>
      context.envelope({ key: 'many', data: { n } }),
    );
    await engine.send(many);
    const few = Array.from({ length: 5 }, (_, n) => context.envelope({ key: 'few', data: { n } }));
    await engine.send(few);
    const { deliveries } = await context.consume(engine);
    await eventually(() => deliveries.length >= 10);
    const keys = deliveries.slice(0, 10).map(({ envelope }) => envelope.key);
    expect(keys).toEqual(Array.from({ length: 5 }, () => ['many', 'few']).flat());
  });
});
