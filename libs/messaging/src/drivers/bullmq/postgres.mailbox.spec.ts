import type { Queue } from 'bullmq';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  Context,
  done,
  doneWith,
  retry,
  type Consumed,
} from '../../../../../test/contract/context.js';
import { field, ids, reaches } from '../../../../../test/contract/expect.js';
import { gate, type Gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import type { Engine } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { TurnBackend } from './bullmq.store.js';

serverSuite('postgres', 'mailboxes on PostgreSQL, whatever an operator does', () => {
  let server: PostgresServer;
  let url: string;
  let sql: Client;
  let context: Context;
  let engine: Engine;
  let queue: Queue;
  let backend: TurnBackend;
  let held: Gate;
  let consumed: Consumed;

  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    sql = new Client({ connectionString: url });
    await sql.connect();
  });
  afterAll(async () => {
    await sql.end();
    await server.stop();
  });
  beforeEach(async () => {
    context = new Context({ name: 'PostgreSQL', url: async () => url, lacks: {} }, url);
    engine = await context.engine();
    queue = engine.queue?.(context.actor) as Queue;
    backend = queue.getBackend() as unknown as TurnBackend;
    held = gate();
  });
  afterEach(async () => {
    held.open();
    await context.close();
  });

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

  it('removing messages, with BullMQ or by hand, leaves the others in order', async () => {
    await consume();
    const sent = await line('k', 5);
    await queue.remove(sent[2]!.id);
    await sql.query('DELETE FROM bullmq.job WHERE id = $1', [sent[4]!.id]);
    await sound();
    held.open();
    await doneIs(3);
    expect(handled()).toEqual([0, 1, 3]);
  });

  it('removing the first makes the next runnable', async () => {
    const sent = [0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } }));
    await engine.send(sent);
    await sql.query('DELETE FROM bullmq.job WHERE id = $1', [sent[0]!.id]);
    expect((await engine.find(sent[1]!.id, [context.actor]))?.state).toBe('waiting');
    await consume();
    await doneIs(2);
    expect(handled()).toEqual([1, 2]);
  });

  it('draining drops all that wait, parked ones too, and the key goes on', async () => {
    await consume();
    await line('k', 4);
    await queue.drain();
    await sound();
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 0, active: 1 });
    await engine.send([context.envelope({ key: 'k', data: { n: 'after' } })]);
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

  it('obliterating leaves no message and no mailbox', async () => {
    await engine.send([0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } })));
    await queue.obliterate();
    const { rows } = await sql.query('SELECT * FROM callsheet.mailbox WHERE queue = $1', [
      context.actor,
    ]);
    expect(rows).toEqual([]);
    await engine.send([context.envelope({ key: 'k', data: { n: 'after' } })]);
    await consume();
    await doneIs(1);
    expect(handled()).toEqual(['after']);
  });

  it('promoting a timer puts it behind what waits for its key, a retry keeps its place', async () => {
    await consume();
    const late = context.envelope({ key: 'l', data: { n: 'late', later: true } });
    await engine.send([late, context.envelope({ key: 'l', data: { n: 'next' } })]);
    await reaches(context, engine, late.id, 'delayed');
    await line('k', 2);
    const far = context.envelope({ key: 'k', dueAt: Date.now() + 60_000, data: { n: 'far' } });
    await engine.send([far]);
    await queue.promoteJobs();
    await doneIs(2);
    expect((await engine.find(far.id, [context.actor]))?.state).toBe('parked');
    await sound();
    held.open();
    await doneIs(5);
    expect(handled().filter((n) => n === 'late' || n === 'next')).toEqual(['late', 'late', 'next']);
    expect(handled().filter((n) => n !== 'late' && n !== 'next')).toEqual([0, 1, 'far']);
  });

  it('what triggers did not see is mended, and named', async () => {
    const sent = [0, 1].map((n) => context.envelope({ key: 'k', data: { n } }));
    const stray = context.envelope({ key: 's', data: { n: 's' } });
    await engine.send([...sent, stray]);
    await sql.query('BEGIN');
    await sql.query('ALTER TABLE bullmq.job DISABLE TRIGGER USER');
    await sql.query('DELETE FROM bullmq.job WHERE id = $1', [sent[0]!.id]);
    await sql.query(`UPDATE bullmq.job SET state = 'waiting-children' WHERE id = $1`, [stray.id]);
    await sql.query('DELETE FROM callsheet.mailbox WHERE id = $1', [stray.id]);
    await sql.query('ALTER TABLE bullmq.job ENABLE TRIGGER USER');
    await sql.query('COMMIT');
    expect((await backend.heal()).sort()).toEqual(['k', 's']);
    await sound();
    await consume();
    await doneIs(2);
    expect(new Set(handled())).toEqual(new Set([1, 's']));
  });

  it('turns that send to the keys of each other never wait in a ring', async () => {
    const { actor } = context;
    const keys = ['a', 'b', 'c', 'd'];
    const { deliveries } = await context.consume(
      engine,
      ({ envelope: { data, key } }) => {
        const n = Number(data['n']);
        if (n === 0) return done();
        const others = keys.filter((other) => other !== key);
        const next = others[n % others.length]!;
        const sends = [context.envelope({ key: next, data: { n: n - 1 } })];
        return doneWith({ sends });
      },
      { concurrency: 4 },
    );
    const batch = (order: string[]) =>
      engine.send(order.map((key) => context.envelope({ key, data: { n: 40 } })));
    await Promise.all(
      Array.from({ length: 6 }, (_, i) => batch(i % 2 ? keys : [...keys].reverse())),
    );
    await eventually(
      async () => {
        const { waiting, active } = await engine.counts(actor);
        return waiting + active === 0 && deliveries.length >= 6 * 4 * 41;
      },
      { timeout: 60_000 },
    );
    expect(deliveries).toHaveLength(6 * 4 * 41);
    expect(deliveries.every(({ crashes }) => crashes === 0)).toBe(true);
    const { rows } = await sql.query(
      `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`,
    );
    expect(Number((rows[0] as { deadlocks: string }).deadlocks)).toBe(0);
  });
});
