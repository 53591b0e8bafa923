import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { Pool, PoolClient } from 'pg';
import {
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  vi,
  type MockInstance,
} from 'vitest';
import {
  cancelled,
  Context,
  deadWith,
  done,
  doneWith,
  quarantine,
  release,
  retry,
} from '../../../../../test/contract/context.js';
import { ids, reaches } from '../../../../../test/contract/expect.js';
import { gate, type Gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import type { Delivery, Engine, MessageState, Outcome, SqlStatement } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import { TurnSqlError } from '../../messaging.errors.js';

type Query = (...args: unknown[]) => Promise<unknown>;
type Answer = (delivery: Delivery) => Outcome;

/** A way for a turn to end: the key of its message, what says so to PostgreSQL, and what is left. */
interface End {
  key?: string;
  command: string;
  answer: Answer;
  leaves: MessageState;
  failures?: number;
}

const ENDS: Record<string, End> = {
  done: { command: 'move_to_completed', answer: done, leaves: 'done' },
  'done with a state': {
    ...{ key: 'k', command: 'callsheet.complete' },
    answer: () => doneWith({ state: { data: 1, revision: 0, version: 1 } }),
    leaves: 'done',
  },
  failed: {
    ...{ command: 'callsheet.postpone', answer: retry(60_000) },
    ...{ leaves: 'delayed', failures: 1 },
  },
  'given up': {
    ...{ key: 'k', command: 'callsheet.bury', answer: deadWith([]) },
    ...{ leaves: 'dead', failures: 1 },
  },
  quarantined: {
    ...{ key: 'k', command: 'callsheet.quarantine', answer: quarantine },
    ...{ leaves: 'parked', failures: 1 },
  },
  'handed back': {
    ...{ command: 'callsheet.postpone', answer: release(60_000) },
    leaves: 'delayed',
  },
  cancelled: {
    ...{ command: 'callsheet.quit', answer: cancelled },
    leaves: 'cancelled',
  },
};

serverSuite('postgres', 'PostgreSQL that goes away for a moment', () => {
  let server: PostgresServer;
  let url: string;
  let context: Context;
  let engine: Engine;
  let warnings: MockInstance;

  beforeAll(async () => {
    server = await startPostgres();
    atEnd(() => server.stop());
    url = await server.createDatabase();
  }, 60_000);
  beforeEach(async () => {
    warnings = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    context = new Context({ name: 'PostgreSQL', url: async () => url, lacks: {} }, url);
    engine = await context.engine({ lockDuration: '5s' });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await context.close();
  });

  const pool = (): Pool => (queue().opts as { connection: unknown }).connection as Pool;
  const queue = (): Queue => engine.queue!(context.actor) as Queue;

  const pools = (): Pool[] => [
    pool(),
    (engine as unknown as { database: { sender: Pool } }).database.sender,
  ];

  /** Gives the store's connections a `query` of ours, which is given theirs. */
  function intercept(wrap: (query: Query) => Query): void {
    for (const each of pools()) interceptOn(each, wrap);
  }

  function interceptOn(pool: Pool, wrap: (query: Query) => Query): void {
    const [query, connect] = [pool.query.bind(pool), pool.connect.bind(pool)];
    vi.spyOn(pool, 'query').mockImplementation(wrap(query as Query) as never);
    vi.spyOn(pool, 'connect').mockImplementation(((own?: never) => {
      // The pool's own `query` gives a callback.
      if (own) return connect(own);
      return connect().then((session) => {
        const asked = wrap(session.query.bind(session) as Query);
        return new Proxy(session, {
          get: (target, name: keyof PoolClient) => {
            const value: unknown = name === 'query' ? asked : target[name];
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
      });
    }) as never);
  }

  /**
   * Loses the answer to the next statement that has `part` in it: the server has done it, `then` comes, and the connection
   * breaks.
   */
  function loseAnswerTo(part: string, then?: () => Promise<unknown>): { isLost: boolean } {
    const loss = { isLost: false };
    intercept((query) => async (...args) => {
      const answer = await query(...args);
      if (loss.isLost || !String(args[0]).includes(part)) return answer;
      loss.isLost = true;
      await then?.();
      throw new Error('Connection terminated unexpectedly');
    });
    return loss;
  }

  /** Holds back the next statement that has `part` in it, and opens `frozen`, until `wakes` opens. */
  function freezeAt(part: string, frozen: Gate, wakes: Gate): void {
    let isFirst = true;
    intercept((query) => async (...args) => {
      if (isFirst && String(args[0]).includes(part)) {
        isFirst = false;
        frozen.open();
        await wakes.opened;
      }
      return query(...args);
    });
  }

  /** The message was given to a turn once, and neither a crash nor an outcome that could not be stored was noted. */
  async function expectOnce(deliveries: readonly Delivery[], { id }: Envelope): Promise<void> {
    expect(ids(deliveries).filter((each) => each === id)).toEqual([id]);
    const dead = engine.queue!(`${context.actor}.dead`) as Queue;
    const job = (await queue().getJob(id)) ?? (await dead.getJob(id));
    expect(job).toMatchObject({ stalledCounter: 0 });
    expect(warnings.mock.calls.flat().join()).not.toContain('could not be stored');
  }

  /** A table of the user's, and a statement that writes to it. */
  async function ledger(): Promise<{ insert: SqlStatement; count: () => Promise<number> }> {
    const name = `public.${context.actor}`;
    await pool().query(`CREATE TABLE ${name} (id text)`);
    return {
      insert: { text: `INSERT INTO ${name} VALUES ('x')`, params: [] },
      count: async () => (await pool().query(`SELECT id FROM ${name}`)).rowCount ?? 0,
    };
  }

  describe.each(Object.entries(ENDS))('a turn that is %s', (_, end) => {
    const message = (): Envelope =>
      context.envelope({ ...(end.key !== undefined && { key: end.key }) });

    it('when the server restarts is not run again', async () => {
      let restarted: Promise<void> | undefined;
      const { deliveries } = await context.consume(engine, async (delivery) => {
        restarted ??= server.restart();
        await eventually(() =>
          engine.ping().then(
            () => false,
            () => true,
          ),
        );
        return end.answer(delivery);
      });
      const sent = message();
      await engine.send([sent]);
      await eventually(() => restarted !== undefined);
      await restarted;
      const record = await reaches(context, engine, sent.id, end.leaves);
      expect(record.history).toHaveLength(end.failures ?? 0);
      await expectOnce(deliveries, sent);
    }, 20_000);

    it('when the connection breaks before the answer is not run again', async () => {
      const loss = loseAnswerTo(end.command);
      const { deliveries } = await context.consume(engine, end.answer);
      const sent = message();
      await engine.send([sent]);
      await eventually(() => loss.isLost);
      const record = await reaches(context, engine, sent.id, end.leaves);
      expect(record.history).toHaveLength(end.failures ?? 0);
      await expectOnce(deliveries, sent);
    });
  });

  it('SQL of a turn is not run twice when the answer to its commit is lost', async () => {
    const { insert, count } = await ledger();
    const { deliveries } = await context.consume(engine, () => doneWith({ sql: [insert] }));
    const sent = context.envelope({ key: 'k' });
    const loss = loseAnswerTo('COMMIT');
    await engine.send([sent]);
    await eventually(() => loss.isLost);
    await reaches(context, engine, sent.id, 'done');
    // The repeat, if there were one, comes before what is sent after it.
    const next = context.envelope({ key: 'k' });
    await engine.send([next]);
    await reaches(context, engine, next.id, 'done');
    expect(await count()).toBe(2);
    await expectOnce(deliveries, sent);
  });

  it('a session that ends in the middle of SQL of a turn is no failure of the SQL', async () => {
    const { insert, count } = await ledger();
    await pool().query(`CREATE SEQUENCE public.${context.actor}_tries`);
    const end = `SELECT pg_terminate_backend(pg_backend_pid())
      WHERE nextval('public.${context.actor}_tries') = 1`;
    const refusals: Error[] = [];
    const { deliveries } = await context.consume(engine, () =>
      doneWith({ sql: [insert, { text: end, params: [] }] }, (error) => {
        refusals.push(error);
        return done();
      }),
    );
    const sent = context.envelope();
    await engine.send([sent]);
    await reaches(context, engine, sent.id, 'done');
    expect(refusals).toEqual([]);
    expect(await count()).toBe(1);
    await expectOnce(deliveries, sent);
  });

  it.each(['08006', '57P01', '40P01'])(
    'what SQL of a turn raises itself is a failure of the SQL, whatever its code: %s',
    async (code) => {
      const { insert, count } = await ledger();
      await pool().query(`CREATE SEQUENCE public.${context.actor}_tries`);
      // Sequences are not rolled back.
      const raise = `DO $$ BEGIN PERFORM nextval('public.${context.actor}_tries');
        RAISE 'the other server is away' USING ERRCODE = '${code}'; END $$`;
      const refusals: Error[] = [];
      const { deliveries } = await context.consume(engine, () =>
        doneWith({ sql: [insert, { text: raise, params: [] }] }, (error) => {
          refusals.push(error);
          return done();
        }),
      );
      const sent = context.envelope();
      await engine.send([sent]);
      await reaches(context, engine, sent.id, 'done');
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toBeInstanceOf(TurnSqlError);
      expect(refusals[0]).toMatchObject({ cause: { code } });
      expect(await count()).toBe(0);
      await expectOnce(deliveries, sent);
      const { rows } = await pool().query(`SELECT last_value FROM public.${context.actor}_tries`);
      // A deadlock is tried again first, as often as one of ours.
      expect(rows).toEqual([{ last_value: code === '40P01' ? '5' : '1' }]);
    },
  );

  it('a process that freezes in the middle of its commit holds others up no longer than its lock lasts', async () => {
    const { insert, count } = await ledger();
    const [frozen, wakes] = [gate(), gate()];
    const lockDuration = '1s';
    engine = await context.engine({ lockDuration });
    freezeAt('COMMIT', frozen, wakes);
    const { deliveries } = await context.consume(engine, () => doneWith({ sql: [insert] }));
    const [sent, next] = [context.envelope({ key: 'k' }), context.envelope({ key: 'k' })];
    await engine.send([sent]);
    await frozen.opened;
    // Wants the key.
    const other = await context.engine({ lockDuration });
    await other.send([next]);
    wakes.open();
    for (const { id } of [sent, next]) await reaches(context, engine, id, 'done');
    expect(await count()).toBe(2);
    expect(deliveries.length).toBeGreaterThanOrEqual(2);
  }, 20_000);

  it.each(['move_to_active', 'move_to_completed_fetch'])(
    'a message that was taken, but not received, is received when it is asked for again: %s',
    async (command) => {
      const sent = Array.from({ length: 3 }, () => context.envelope());
      await engine.send(sent);
      const loss = loseAnswerTo(command);
      const { deliveries } = await context.consume(engine);
      await eventually(async () => (await engine.counts(context.actor)).done === 3);
      expect(loss.isLost).toBe(true);
      expect(ids(deliveries)).toEqual(ids(sent.map((envelope) => ({ envelope }) as Delivery)));
      for (const each of sent) await expectOnce(deliveries, each);
    },
  );

  it('what loses one deadlock after the other is given up at the fifth', async () => {
    let lost = 0;
    const deadlock = (): never => {
      lost++;
      throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
    };
    intercept(
      (query) =>
        async (...args) =>
          String(args[0]).includes('FROM callsheet.state') ? deadlock() : query(...args),
    );
    await expect(engine.state(context.actor, 'k')).rejects.toThrow('deadlock detected');
    expect(lost).toBe(5);
  });

  it('a send is stored once when its answer is lost', async () => {
    const loss = loseAnswerTo('callsheet.send');
    const sent = [
      context.envelope(),
      context.named(context.id('x')),
      context.envelope({ key: 'k' }),
    ];
    await engine.send(sent);
    expect(loss.isLost).toBe(true);
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 3 });
  });

  it.each(['active', 'done'] as const)(
    'a message that replaces another is stored once when its answer is lost and it is %s by then',
    async (state) => {
      const ends = gate();
      const { deliveries } = await context.consume(engine, async () => {
        if (state === 'active') await ends.opened;
        return done();
      });
      const sent = context.named(context.id('timer'), 'new', { replace: true });
      loseAnswerTo('callsheet.send', () => reaches(context, engine, sent.id, state));
      await engine.send([sent]);
      ends.open();
      await reaches(context, engine, sent.id, 'done');
      await engine.send([context.envelope()]);
      await eventually(() => deliveries.length > 1);
      expect(ids(deliveries).filter((id) => id === sent.id)).toHaveLength(1);
      // Meant as another, it does replace it.
      await engine.send([{ ...sent, sentAt: sent.sentAt + 1 }]);
      await eventually(() => deliveries.length > 2);
    },
  );

  it('a send waits for a server that restarts', async () => {
    await Promise.all([server.restart(), engine.send([context.envelope()])]);
    await server.restart();
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 1 });
  });
});
