import type { Queue } from 'bullmq';
import type { Pool } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Context, done, doneWith, retry } from '../../../../../test/contract/context.js';
import { gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres } from '../../../../../test/support/postgres.server.js';
import type { Engine } from '../../engine.js';

const { now } = Date;

serverSuite('postgres', 'PostgreSQL', () => {
  let url: string;
  let context: Context;
  let engine: Engine;
  let other: Engine;
  beforeAll(async () => {
    const server = await startPostgres();
    atEnd(() => server.stop());
    url = await server.createDatabase();
  }, 60_000);
  beforeEach(async () => {
    context = new Context({ name: 'PostgreSQL', url: async () => url, lacks: {} }, url);
    engine = await context.engine();
    other = await context.engine();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await context.close();
  });

  const pool = (): Pool =>
    (engine.queue!(context.actor) as Queue).opts.connection as unknown as Pool;

  describe.each([
    ['ahead of', 4_000],
    ['behind', -4_000],
  ])('a worker whose clock is %s that of PostgreSQL', (_, skew) => {
    beforeEach(() => {
      vi.spyOn(Date, 'now').mockImplementation(() => now() + skew);
    });

    it('begins nothing before it is due, and does not ask again and again until then', async () => {
      const asked = vi.spyOn(pool(), 'query');
      const began: number[] = [];
      await context.consume(engine, (delivery) => {
        began.push(now());
        return delivery.attempt === 1 ? retry(1_000)(delivery) : done();
      });
      const sentAt = now();
      const dueAt = sentAt + 1_000;
      await engine.send([context.envelope({ sentAt, dueAt })]);
      await eventually(() => began.length === 2, { timeout: 15_000 });
      expect(began[0]).toBeGreaterThanOrEqual(dueAt);
      expect(began[1]! - began[0]!).toBeGreaterThanOrEqual(1_000);
      const claims = asked.mock.calls.filter(([text]) =>
        String(text).includes('FROM move_to_active('),
      );
      expect(claims.length).toBeLessThan(50);
    }, 20_000);

    it('keeps its messages, by the clock of PostgreSQL', async () => {
      const ends = gate();
      const { deliveries } = await context.consume(
        engine,
        async () => {
          await ends.opened;
          return doneWith({});
        },
        { concurrency: 2 },
      );
      await engine.send([context.envelope()]);
      await eventually(() => deliveries.length === 1);
      const second = await context.consume(other);
      const first = now();
      await eventually(async () => {
        const { rows } = await pool().query(
          `SELECT locked_until_ms::float8 AS until FROM bullmq.job WHERE queue = $1 AND state = 'active'`,
          [context.actor],
        );
        const [{ until }] = rows as [{ until: number }];
        expect(until - now()).toBeLessThan(1_500);
        return until > first + 3_000;
      });
      ends.open();
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      expect([...deliveries, ...second.deliveries]).toHaveLength(1);
    }, 20_000);
  });
});
