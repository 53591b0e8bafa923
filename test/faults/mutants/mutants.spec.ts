import { afterAll, beforeAll, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startRedis, type RedisServer } from '../../support/redis.server.js';
import { CHECKS } from '../checks/index.js';
import { shim } from '../shim.js';
import { POWER, SENDING } from './sending.mutants.js';
import { Stage, type Mutant } from './stage.js';
import { WORKING } from './working.mutants.js';

// Each of these was measured on plain BullMQ; a suite that does not see them would not see them in Callsheet either.
serverSuite('redis-server', 'the suite sees that', () => {
  let server: RedisServer | undefined;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server?.stop());

  for (const mutant of [...WORKING, ...SENDING]) {
    it(mutant.title, { timeout: 20_000 }, async () => {
      expect(await found(mutant, server!)).not.toEqual([]);
    });
  }

  serverSuite('gcc', 'without power', () => {
    it(POWER.title, async () => {
      const own = await startRedis({ appendonly: true, env: shim('power') });
      try {
        expect(await found(POWER, own)).not.toEqual([]);
      } finally {
        await own.stop();
      }
    });
  });

  it('all twelve of them', () => {
    expect([...WORKING, ...SENDING, POWER]).toHaveLength(12);
  });
});

/** What the check finds that must see it. */
async function found({ title, by, play }: Mutant, server: RedisServer): Promise<string[]> {
  const stage = new Stage(title, server);
  await stage.redis.flushall();
  try {
    const remains = await play(stage);
    const violations = CHECKS[by]({ events: stage.run.events(), remains });
    stage.run.forget();
    return violations;
  } finally {
    await stage.close();
  }
}
