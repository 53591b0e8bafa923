import { Actor, Actors, ENGINE, Message, On, type Engine } from '@callsheet/messaging';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Subscriptions } from '../../libs/messaging/src/routing/subscriptions.js';
import { serverSuite } from '../support/available.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis.server.js';
import { Stage } from './stage.js';

class Placed extends Message('orders.placed', z.object({})) {}
class Paid extends Message('orders.paid', z.object({})) {}

@Actor({ name: 'log' })
class OldLog {
  @On(Placed) placed(): void {}
}
@Actor({ name: 'log' })
class NewLog {
  @On(Placed) placed(): void {}
  @On(Paid) paid(): void {}
}

serverSuite('redis-server', 'a Redis that is emptied while processes run', () => {
  it('has the subscriptions of the release that was in force again within seconds', async () => {
    const server = await startRedis();
    const stage = new Stage(server.url, { name: 'Redis', url: async () => server.url });
    const redis = new Redis(server.url);
    try {
      const api = await stage.app([]);
      const old = await stage.app([OldLog]);
      await stage.app([NewLog]);
      const publish = async () => (await api.get(Actors).publish(new Paid({}))).receivers;
      expect(await publish()).toEqual(['log']);
      // The older one has heard of the newer one.
      await old.get(Subscriptions).keepUp();
      await redis.flushall();
      const bound = () => api.get<Engine>(ENGINE).bound('actor:log');
      await eventually(async () => (await bound()) !== undefined, { timeout: 20_000 });
      await eventually(async () => (await publish()).length === 1);
    } finally {
      redis.disconnect();
      await stage.close();
      await server.stop();
    }
  });
});
