import { afterAll, beforeAll, expect, it } from 'vitest';
import { BullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { RedisStore } from '../../libs/messaging/src/drivers/bullmq/redis.store.js';
import type { ConsumeOptions, Consumer, TurnFunction } from '../../libs/messaging/src/engine.js';
import type { ResolvedOptions } from '../../libs/messaging/src/messaging.options.js';
import { serverSuite } from '../support/available.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import { lockCases } from './lock.cases.js';
import { runCase } from './suite.js';

/*
 * The negative control of the cases that take two processes, on the store that starts fastest.
 */

/** Stores what a turn sends before it knows whether the turn still has its message. */
class DoesNotFence extends BullmqEngine {
  override consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return super.consume(actor, options, async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind === 'done' && outcome.effects) await this.send(outcome.effects.sends);
      return outcome;
    });
  }
}

/** Does not say that a message was cancelled. */
class ForgetsCancelling extends BullmqEngine {
  override consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return super.consume(actor, options, (delivery) => turn({ ...delivery, isCancelled: false }));
  }
}

serverSuite('redis-server', 'negative control on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server.stop());

  it.each([
    ['does not fence what a turn sends', DoesNotFence, 0],
    ['forgets that a message was cancelled when its process froze', ForgetsCancelling, 1],
  ])('an engine that %s is caught', async (_, Engine, index) => {
    const found = lockCases[index];
    if (!found) throw new Error('no such case');
    const driver = {
      name: 'control',
      url: async () => server.url,
      lacks: {},
      engine: (options: ResolvedOptions) => new Engine(new RedisStore(options), options),
    };
    const verdict: unknown = await runCase(found, driver, server.url).catch(
      (error: unknown) => error,
    );
    expect((verdict as Error | undefined)?.name, String(verdict)).toBe('AssertionError');
  });
});
