import { Queue, runMigrations, type Job } from 'bullmq';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import { generateId, storageId, type Envelope } from '../../envelope.js';
import { IdempotencyConflictError, MessageActiveError } from '../../messaging.errors.js';
import { resolveOptions } from '../../messaging.options.js';
import { DEAD } from './bullmq.job.js';
import type { Failure, TurnBackend } from './bullmq.store.js';
import { migrate, MIGRATIONS } from './postgres.schema.js';
import { PostgresStore } from './postgres.store.js';

const FAILURE: Failure = { reason: 'boom', stacktrace: [], progress: { attempts: [] } };
const KEEP = { age: 60_000, count: 100 };

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let store: PostgresStore;
  /** Another process, which can stop in the middle of a transaction. */
  let rival: Client;
  let actor: string;
  let actors = 0;

  beforeAll(async () => {
    server = await startPostgres();
    atEnd(() => server.stop());
    url = await server.createDatabase();
    store = new PostgresStore(resolveOptions({ url }));
    atEnd(() => store.close());
    await store.open();
    rival = await connect(url);
  }, 60_000);
  beforeEach(() => {
    actor = `a${++actors}`;
  });
  afterAll(() => rival.end());

  async function connect(database: string): Promise<Client> {
    const client = new Client({ connectionString: database, options: '-c search_path=bullmq' });
    await client.connect();
    return client;
  }

  function queueOf(name: string): Queue {
    const queue = new Queue(name, { connection: store.queueConnection as never }, store.backend);
    queue.on('error', () => undefined);
    atEnd(() => queue.close());
    return queue as unknown as Queue;
  }

  function backendOf(name: string): TurnBackend {
    return queueOf(name).getBackend() as unknown as TurnBackend;
  }

  function envelope(fields: Partial<Envelope> = {}): Envelope {
    const base = {
      id: generateId(actor),
      type: `${actor}.do`,
      version: 1,
      actor,
      data: {},
    } as const;
    return { ...base, priority: 100, sentAt: Date.now(), headers: {}, ...fields };
  }

  /** A message whose sender chose the id, which is only the test's own. */
  const named = (id: string, fields: Partial<Envelope> = {}): Envelope =>
    envelope({ id: `${actor} ${id}`, fingerprint: 'same', ...fields });

  /** As a worker takes the next message. */
  async function take(token: string, client: Pick<Client, 'query'> = rival): Promise<string> {
    const { rows } = await client.query(
      `SELECT id FROM move_to_active($1, $2, 60000, $3, 'worker', NULL, NULL)`,
      [actor, token, Date.now()],
    );
    return String((rows[0] as { id: string } | undefined)?.id);
  }

  async function jobs(): Promise<Record<string, unknown>[]> {
    const { rows } = await rival.query(
      `SELECT queue, id, state FROM job WHERE queue LIKE $1 || '%' ORDER BY queue, id`,
      [actor],
    );
    return rows as Record<string, unknown>[];
  }

  /** Runs `work` while the rival's transaction holds what `before` took, until it waits for that; then the rival commits. */
  async function during<T>(before: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
    await rival.query('BEGIN');
    await before();
    const waiting = work().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    const observer = await connect(url);
    await eventually(async () => {
      const { rows } = await observer.query(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    await observer.end();
    await rival.query('COMMIT');
    return (await waiting)();
  }

  const asJob = (id: string): Job => ({ id, queueName: actor, opts: {}, data: {} }) as Job;

  describe('the end of a turn', () => {
    it.each([
      ['complete', (b: TurnBackend, job: Job) => b.complete(job, 'old', sends(), KEEP)],
      ['bury', (b: TurnBackend, job: Job) => b.bury(job, 'old', FAILURE, sends().sends)],
      ['quit', (b: TurnBackend, job: Job) => b.quit(job, 'old', { attempts: [] }, KEEP, [])],
      ['postpone', (b: TurnBackend, job: Job) => b.postpone(job, 'old', 5, FAILURE)],
      ['postpone unfailed', (b: TurnBackend, job: Job) => b.postpone(job, 'old', 5, undefined)],
    ])('changes nothing when the lock is lost: %s', async (_, end) => {
      await store.send([envelope()]);
      const id = await take('new');
      await expect(end(backendOf(actor), asJob(id))).rejects.toMatchObject({ code: 'BM001' });
      expect(await jobs()).toEqual([{ queue: actor, id, state: 'active' }]);
    });

    it('changes nothing when a send is refused', async () => {
      await store.send([named('taken'), envelope({ priority: 1 })]);
      const id = await take('t');
      const other = [envelope(), named('taken', { fingerprint: 'other' })];
      const backend = backendOf(actor);
      const effects = { sends: other, reply: { data: 1 } };
      await expect(backend.complete(asJob(id), 't', effects, KEEP)).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expect(backend.bury(asJob(id), 't', FAILURE, other)).rejects.toThrow(
        IdempotencyConflictError,
      );
      const found = await jobs();
      expect(found).toHaveLength(2);
      expect(found).toContainEqual({ queue: actor, id, state: 'active' });
    });

    it('is stored although its notice is too long to be told', async () => {
      await store.send([envelope({ replyTo: 'x'.repeat(9_000) })]);
      const id = await take('t');
      await backendOf(actor).complete(asJob(id), 't', { sends: [] }, KEEP);
      expect(await jobs()).toEqual([{ queue: actor, id, state: 'completed' }]);
    });

    const sends = () => ({ sends: [envelope()] });
  });

  describe('turns that send the same ids at once', () => {
    it('do not wait for each other, whatever the order', async () => {
      const turns = 12;
      const timers = Array.from({ length: 10 }, (_, n) => `timer ${n}`);
      await store.send(Array.from({ length: turns }, () => envelope({ priority: 1 })));
      const backend = backendOf(actor);
      const taken: { id: string; token: string }[] = [];
      for (let n = 0; n < turns; n++) taken.push({ id: await take(`t${n}`), token: `t${n}` });
      const dueAt = Date.now() + 60_000;
      const before = await deadlocks();
      await Promise.all(
        taken.map(async ({ id, token }, n) => {
          // Each begins elsewhere, every other one runs backwards.
          const ids = [...timers.slice(n % 10), ...timers.slice(0, n % 10)];
          if (n % 2) ids.reverse();
          const sends = ids.map((timer) =>
            named(timer, { fingerprint: token, replace: true, dueAt }),
          );
          await backend.complete(asJob(id), token, { sends }, KEEP);
        }),
      );
      expect(await deadlocks()).toBe(before);
      const queue = queueOf(actor);
      expect(await queue.getJobCounts('completed', 'delayed')).toEqual({
        completed: turns,
        delayed: timers.length,
      });
    });

    it('and replace each other are refused rather than stuck', async () => {
      const names = ['one', 'two'];
      await store.send(names.map((name) => named(name)));
      const backend = backendOf(actor);
      const tokens = [await take('t0'), await take('t1')];
      const before = await deadlocks();
      const ends = await Promise.allSettled(
        tokens.map((id, n) => {
          const other = named(names[1 - n]!, { fingerprint: 'new', replace: true });
          return backend.complete(asJob(id), `t${n}`, { sends: [other] }, KEEP);
        }),
      );
      const refused = ends.filter((end) => end.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      for (const { reason } of refused) expect(reason).toBeInstanceOf(MessageActiveError);
      expect(await deadlocks()).toBe(before);
    });

    async function deadlocks(): Promise<number> {
      const { rows } = await rival.query(
        `SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()`,
      );
      return (rows[0] as { n: number }).n;
    }
  });

  describe('cancelling', () => {
    const cancel = (id: string) => backendOf(actor).cancel(id);

    it('finds in work what is just being taken', async () => {
      const sent = envelope();
      await store.send([sent]);
      const answer = await during(
        () => take('t'),
        () => cancel(sent.id),
      );
      expect(answer).toBe('cancelling');
      const { opts } = (await queueOf(actor).getJob(sent.id)) as { opts: object };
      expect(opts).toMatchObject({ callsheetCancelled: expect.any(Number) as number });
    });

    it('keeps workers from what is just being cancelled', async () => {
      const [first, second] = [envelope(), envelope()];
      await store.send([first, second]);
      await rival.query('BEGIN');
      await rival.query('SELECT callsheet.cancel($1, $2, $3)', [actor, first.id, Date.now()]);
      const worker = await connect(url);
      expect(await take('t', worker)).toBe(second.id);
      await rival.query('COMMIT');
      expect(await take('t', worker)).toBe('undefined');
      await worker.end();
      expect(await queueOf(actor).getJobCounts('completed', 'active')).toEqual({
        completed: 1,
        active: 1,
      });
    });

    it('finds ended what is just being given up', async () => {
      const sent = envelope();
      await store.send([sent]);
      await take('t');
      const bury = () =>
        rival.query(`SELECT callsheet.bury($1, $2, 't', 1, 'boom', '[]', '{"attempts":[]}')`, [
          ...[actor, sent.id],
        ]);
      expect(await during(bury, () => cancel(sent.id))).toBe('ended');
    });

    it('catches what is just being redriven', async () => {
      const sent = envelope();
      await store.send([sent]);
      await backendOf(actor).bury(asJob(await take('t')), 't', FAILURE, []);
      const redrive = () =>
        rival.query(`SELECT callsheet.redrive($1, $2, '{"attempts":[]}')`, [actor, sent.id]);
      expect(await during(redrive, () => cancel(sent.id))).toBe('cancelled');
      expect(await jobs()).toEqual([{ queue: actor, id: sent.id, state: 'completed' }]);
    });

    it('only marks an occurrence that has not started: its schedule would end with it', async () => {
      const queue = queueOf(actor);
      await queue.upsertJobScheduler(`${actor}.tick`, { pattern: '0 0 1 1 *' }, { name: 'tick' });
      const [occurrence] = await queue.getDelayed();
      expect(await cancel(occurrence?.id ?? '')).toBe('cancelled');
      expect(await queue.getDelayedCount()).toBe(1);
      const [marked] = await queue.getDelayed();
      expect(marked?.opts).toHaveProperty('callsheetCancelled');
    });
  });

  describe('replacing', () => {
    const replacing = (id: string) => named(id, { fingerprint: 'new', replace: true });

    it('is refused for what is just being taken', async () => {
      await store.send([named('timer')]);
      const replaced = during(
        () => take('t'),
        () => store.send([replacing('timer')]),
      );
      await expect(replaced).rejects.toThrow(MessageActiveError);
      await expect(store.send([named('timer', { fingerprint: 'new' })])).rejects.toThrow(
        IdempotencyConflictError,
      );
    });

    it('leaves one message where another is just being redriven', async () => {
      const sent = named('timer');
      await store.send([sent]);
      await backendOf(actor).bury(asJob(await take('t')), 't', FAILURE, []);
      await during(
        () =>
          rival.query(`SELECT callsheet.redrive($1, $2, '{"attempts":[]}')`, [
            ...[actor, storageId(sent)],
          ]),
        () => store.send([replacing('timer')]),
      );
      expect(await jobs()).toEqual([{ queue: actor, id: storageId(sent), state: 'waiting' }]);
      const job = await queueOf(actor).getJob(storageId(sent));
      expect(job?.opts).toMatchObject({ callsheet: { fingerprint: 'new' } });
    });
  });

  it('of two processes that bind at once the later one waits, so that no version is another table', async () => {
    await during(
      () => rival.query('SELECT callsheet.bind($1, $2)', ['other', '"theirs"']),
      () => store.bind('mine', 'ours'),
    );
    expect((await store.bindings())?.owners).toMatchObject({ other: 'theirs', mine: 'ours' });
  });

  it('thousands of dead letters are dropped, by number and by age', async () => {
    const bury = (count: number, diedAt: number) =>
      rival.query(
        `INSERT INTO job (queue, id, seq, name, state, added_at_ms, finished_at_ms)
         SELECT $1, $2::text || n, nextval('job_seq'), 'x', 'failed', 0, $2::bigint + n FROM generate_series(1, $3::int) n`,
        [actor + DEAD, diedAt, count],
      );
    const now = Date.now();
    await bury(1_200, 1_000);
    await bury(1_200, now);
    const letters = backendOf(actor + DEAD);
    await letters.forgetDead({ age: Infinity, count: 1_300 });
    expect(await jobs()).toHaveLength(1_300);
    await letters.forgetDead({ age: 60_000, count: Infinity });
    expect(await jobs()).toHaveLength(1_200);
    await letters.forgetDead({ age: 60_000, count: 2 });
    const left = await letters.places('dead', undefined, 9);
    expect(left.map(({ storageId }) => storageId)).toEqual([`${now}1200`, `${now}1199`]);
  }, 20_000);

  describe('a database of the version before', () => {
    it('is brought up to date, and what it holds is not touched', async () => {
      const old = await server.createDatabase();
      const session = await connect(old);
      await runMigrations(session as never);
      await migrate(session, MIGRATIONS.slice(0, 8));
      await session.query(
        `INSERT INTO callsheet.sent VALUES ('h', 'same', now() + interval '1 hour')`,
      );
      await session.query(`SELECT callsheet.subscribe('a', '{a.y,a.x}')`);
      const updated = new PostgresStore(resolveOptions({ url: old }));
      await updated.open();
      expect((await updated.bindings())?.owners).toEqual({
        'actor:a': [{ type: 'a.x' }, { type: 'a.y' }],
      });
      await updated.close();
      const { rows } = await session.query('SELECT id FROM callsheet.sent');
      expect(rows).toEqual([{ id: 'h' }]);
      await session.end();
    });

    it('may still have its processes: what they call is still there', async () => {
      await store.send([envelope()]);
      const id = await take('t');
      await rival.query(
        `SELECT callsheet.postpone($1, $2, 't', 0, 0, 'boom', '["boom"]', '{"attempts":[1]}')`,
        [actor, id],
      );
      expect(await take('t')).toBe(id);
      await rival.query(
        `SELECT callsheet.bury($1, $2, 't', 1, 'boom', '["boom"]', '{"attempts":[1]}')`,
        [actor, id],
      );
      const { rows } = await rival.query(
        `SELECT callsheet.redrive($1, $2, '{"attempts":[]}') AS ok`,
        [...[actor, id]],
      );
      expect(rows).toEqual([{ ok: true }]);
      expect(await jobs()).toEqual([{ queue: actor, id, state: 'waiting' }]);
    });
  });
});
