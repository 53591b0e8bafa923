import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Context, done, doneWith, retry } from '../../../../../test/contract/context.js';
import { field } from '../../../../../test/contract/expect.js';
import { Operation } from '../../../../../test/contract/operator.cases.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import { LockLostError } from '../../messaging.errors.js';
import type { TurnBackend } from './bullmq.store.js';

const KEEP = { age: 60_000, count: 100 };

serverSuite('postgres', 'mailboxes on PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let sql: Client;
  let at: Operation;

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
    at = await Operation.begin(
      new Context({ name: 'PostgreSQL', url: async () => url, lacks: {} }, url),
    );
  });
  afterEach(() => at.context.close());

  it('go on in order when messages are deleted by SQL', async () => {
    const sent = [0, 1, 2, 3].map((n) => at.message(n));
    await at.engine.send(sent);
    await sql.query('DELETE FROM bullmq.job WHERE id = ANY ($1)', [[sent[0]!.id, sent[2]!.id]]);
    expect(await at.state(sent[1]!)).toBe('waiting');
    expect(await at.heal()).toEqual([]);
    await at.consume();
    expect(await at.after(2)).toEqual([1, 3]);
    const { rows } = await sql.query('SELECT * FROM callsheet.mailbox WHERE queue = $1', [
      at.context.actor,
    ]);
    expect(rows).toEqual([]);
  });

  it('are mended, and named, when triggers did not see what was done', async () => {
    const sent = [0, 1].map((n) => at.message(n));
    const stray = at.message('s', { key: 's' });
    await at.engine.send([...sent, stray]);
    await sql.query('BEGIN');
    await sql.query('ALTER TABLE bullmq.job DISABLE TRIGGER USER');
    await sql.query('DELETE FROM bullmq.job WHERE id = $1', [sent[0]!.id]);
    await sql.query(`UPDATE bullmq.job SET state = 'waiting-children' WHERE id = $1`, [stray.id]);
    await sql.query('DELETE FROM callsheet.mailbox WHERE id = $1', [stray.id]);
    await sql.query('ALTER TABLE bullmq.job ENABLE TRIGGER USER');
    await sql.query('COMMIT');
    expect((await at.heal()).sort()).toEqual(['k', 's']);
    expect(await at.heal()).toEqual([]);
    await at.consume();
    expect(new Set(await at.after(2))).toEqual(new Set([1, 's']));
  });

  it('get what a transaction stored as a read whose type became a writer before it was committed', async () => {
    const { context, engine, queue } = at;
    const { mailboxes } = queue.getBackend() as unknown as TurnBackend;
    const type = `${context.actor}.do`;
    await mailboxes.employ({ reads: new Set([type]) });
    const read = at.message('read');
    await sql.query('BEGIN');
    await engine.send([read], sql);
    await mailboxes.employ({ reads: new Set() });
    await sql.query('COMMIT');
    await engine.send([at.message('first'), at.message('second')]);
    expect(await at.heal()).toEqual(['k']);
    expect(await at.heal()).toEqual([]);
    expect(await at.state(read)).toBe('parked');
    await at.consume();
    expect(await at.after(3)).toEqual(['first', 'second', 'read']);
  });

  it('leave alone what only reads, and what is at work', async () => {
    const { context, engine, queue } = at;
    const { mailboxes } = queue.getBackend() as unknown as TurnBackend;
    await mailboxes.employ({ reads: new Set([`${context.actor}.do`]) });
    await engine.send([at.message(0), at.message(1)]);
    expect(await at.heal()).toEqual([]);
    await sql.query(
      `SELECT 1 FROM bullmq.move_to_active($1, 'mine', 60000, $2, 'worker', NULL, NULL)`,
      [...[context.actor, Date.now()]],
    );
    // As if the process that declared it were gone.
    await sql.query('DELETE FROM callsheet.trait WHERE queue = $1', [context.actor]);
    expect(await at.heal()).toEqual(['k']);
    expect(await at.heal()).toEqual([]);
    expect(await engine.keys(context.actor, { by: 'age', limit: 9 })).toMatchObject([{ depth: 1 }]);
  });

  it('that somebody holds hold up neither what is due of other keys nor an attempt of theirs', async () => {
    const { context, engine } = at;
    const { deliveries } = await context.consume(
      engine,
      (delivery) => {
        const { attempt, envelope } = delivery;
        return attempt === 1 && envelope.data['n'] === 'twice' ? retry(200)(delivery) : done();
      },
      { concurrency: 4 },
    );
    const began = (): unknown[] => field(deliveries, 'n');
    const dueAt = Date.now() + 2_000;
    await engine.send([at.message('twice', { key: 'retried' })]);
    await engine.send(['held', 'free'].map((key) => at.message(key, { key, dueAt })));
    await eventually(() => began().includes('twice'));
    await sql.query('BEGIN');
    for (const key of ['held', 'retried']) {
      await sql.query('SELECT callsheet.lock_key($1, $2)', [context.actor, key]);
    }
    await eventually(() => began().length === 3);
    expect(began()).not.toContain('held');
    await sql.query('COMMIT');
    await eventually(async () => (await engine.counts(context.actor)).done === 3);
    expect(began().at(-1)).toBe('held');
  });

  it('whose lock is lost say so, whatever became of the state meanwhile', async () => {
    const { context, engine } = at;
    await engine.send([at.message(0)]);
    const { rows } = await sql.query(
      `SELECT id FROM bullmq.move_to_active($1, 'mine', 60000, $2, 'worker', NULL, NULL)`,
      [context.actor, Date.now()],
    );
    const { id } = rows[0] as { id: string };
    const job = { id, queueName: context.actor, opts: { callsheet: { key: 'k' } }, data: {} };
    const backend = at.queue.getBackend() as unknown as TurnBackend;
    const end = (token: string, revision: number) =>
      backend
        .complete(
          job as never,
          token,
          { sends: [], state: { data: 1, revision, version: 1 } },
          KEEP,
        )
        .catch((error: unknown) => error);
    expect(await end('another', 7)).toMatchObject({ code: 'BM001' });
    expect(await end('mine', 7)).toBeInstanceOf(LockLostError);
    expect(await end('mine', 0)).toBeUndefined();
    expect(await end('mine', 0)).toMatchObject({ code: 'BM001' });
    expect(await engine.state(context.actor, 'k')).toMatchObject({ revision: 1 });
  });

  it('of turns that send to the keys of each other never wait in a ring', async () => {
    const { context, engine } = at;
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
  }, 60_000);

  // After the others: the server counts its deadlocks.
  it.each<[string, (at: Operation, id: string) => Promise<unknown>]>([
    ['draining', ({ queue }) => queue.drain()],
    ['cleaning', ({ queue }) => queue.clean(0, 10, 'prioritized')],
    ['obliterating', ({ queue }) => queue.obliterate()],
    ['removing', ({ queue }, id) => queue.remove(id)],
  ])('let an operator who lost a deadlock with a turn try again: %s', async (_, command) => {
    const sent = at.message(0);
    await at.engine.send([sent]);
    // Whoever began to wait first loses, unless he has more patience.
    await sql.query(`BEGIN; SET LOCAL deadlock_timeout = '1min'`);
    await sql.query('SELECT callsheet.lock_key($1, $2)', [at.context.actor, 'k']);
    const commanded = command(at, sent.id);
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
    await eventually(async () => (await sql.query(waiting)).rows.length > 0);
    await sql.query('SELECT 1 FROM bullmq.job WHERE queue = $1 FOR UPDATE', [at.context.actor]);
    await sql.query('COMMIT');
    await commanded;
    expect(await at.state(sent)).toBeUndefined();
  });
});
