import { expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startRedis } from '../../support/redis.server.js';
import { plainStorm } from '../plain.storm.js';
import { isFull } from '../run.js';

// The control: without it a green suite could mean that its faults hurt nobody.
serverSuite('redis-server', 'the same turns on plain BullMQ, whose workers are killed', () => {
  it(
    'leave their order, and states that are not what their messages make',
    { timeout: isFull ? 600_000 : 120_000 },
    async () => {
      const server = await startRedis({ appendonly: true });
      try {
        const size = isFull ? { messages: 40_000, kills: 30 } : { messages: 1_000, kills: 2 };
        const found = await plainStorm('plain BullMQ, kill -9', server.port, size);
        expect(found.stateIsFold).toBeGreaterThan(0);
        expect(found.inOrder).toBeGreaterThan(0);
        // It loses none either, and begins again what was killed.
        expect(found.nothingLost).toBe(0);
        expect(found.drained).toBe(0);
      } finally {
        await server.stop();
      }
    },
  );
});
