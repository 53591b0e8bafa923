import { afterAll, beforeAll, expect, it } from 'vitest';
import { Context, done, type Driver } from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';

serverSuite('redis-server', 'a wait for a message that is due later', () => {
  let server: RedisServer;
  let context: Context;
  beforeAll(async () => {
    // It looks at what blocks once a second, unless something comes.
    server = await startRedis({ args: ['--hz', '1'] });
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
  });
  afterAll(async () => {
    await context.close();
    await server.stop();
  });

  it('ends when the message is due, not when the server looks', async () => {
    // With long locks little else is asked of the server.
    const engine = await context.engine({ lockDuration: '30s' });
    const late: number[] = [];
    let begun = (): void => undefined;
    await context.consume(engine, ({ envelope: { dueAt = 0 } }) => {
      late.push(Date.now() - dueAt);
      begun();
      return done();
    });
    for (let n = 0; n < 13; n++) {
      const next = new Promise<void>((resolve) => (begun = resolve));
      await engine.send([context.envelope({ dueAt: Date.now() + 150 + 7 * n })]);
      await next;
    }
    // Without, they are late by half a second and more.
    expect(late.sort((a, b) => a - b)[6]).toBeLessThan(200);
  });
});
