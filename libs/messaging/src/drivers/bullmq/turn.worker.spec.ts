import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Context, done, type Driver } from '../../../../../test/contract/context.js';
import { gate, type Gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';

const PLACES = 3;

serverSuite('redis-server', 'a worker whose turns are ours', () => {
  let server: RedisServer;
  let context: Context;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
  });
  afterEach(() => context.close());

  it('has all its places at work whenever there are messages for them, however few there were before', async () => {
    const engine = await context.engine();
    const gates = new Map<number, Gate>();
    let most = 0;
    await context.consume(
      engine,
      async ({ envelope }) => {
        const held = gate();
        gates.set(Number(envelope.data['n']), held);
        most = Math.max(most, gates.size);
        await held.opened;
        return done();
      },
      { concurrency: PLACES },
    );
    const open = (n: number): void => {
      gates.get(n)?.open();
      gates.delete(n);
    };
    let sent = 0;
    const send = (count: number): Promise<void> =>
      engine.send(Array.from({ length: count }, () => context.envelope({ data: { n: sent++ } })));
    await send(PLACES);
    for (let wave = 0; wave < 10; wave++) {
      await eventually(() => gates.size === PLACES);
      const [first = 0, ...others] = gates.keys();
      // One goes on from message to message, the others have none for a while.
      for (const each of others) open(each);
      if (wave % 2) {
        await eventually(async () => (await engine.counts(context.actor)).active === 1);
      }
      await send(PLACES);
      open(first);
    }
    await eventually(() => gates.size === PLACES);
    expect(most).toBe(PLACES);
    for (const each of [...gates.keys()]) open(each);
  });
});
