import { expect } from 'vitest';
import type { Engine, Transaction } from '../../libs/messaging/src/engine.js';
import {
  IdempotencyConflictError,
  TurnSqlError,
} from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { done, doneWith, retry, type Context } from './context.js';
import { expectAbsent, reaches } from './expect.js';

/** What a queue of BullMQ has of its database. */
interface Pool extends Transaction {
  query(text: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  connect(): Promise<Session>;
}
interface Session extends Pool {
  release(): void;
}

const poolOf = (engine: Engine, { actor }: Context): Pool =>
  (engine.queue!(actor) as { opts: { connection: Pool } }).opts.connection;

/** A table of the case's own. */
async function ledger(
  engine: Engine,
  context: Context,
): Promise<{ table: string; rows: () => Promise<unknown[]> }> {
  const table = `public.${context.actor}_ledger`;
  const pool = poolOf(engine, context);
  await pool.query(`CREATE TABLE ${table} (id text PRIMARY KEY, amount integer NOT NULL)`);
  const rows = async (): Promise<unknown[]> =>
    (await pool.query(`SELECT id, amount FROM ${table} ORDER BY id`)).rows;
  return { table, rows };
}

export const sqlCases: Case[] = [
  {
    promise:
      'SQL of a turn is committed with the end of its message, in order, whatever fails before',
    needs: 'sql',
    async run(context) {
      const engine = await context.engine();
      const { table, rows } = await ledger(engine, context);
      const name = table.split('.')[1];
      await context.consume(engine, (delivery) => {
        if (delivery.attempt === 1) return retry(1)(delivery);
        // Unqualified: the search path is the database's own, not that of the store's tables.
        const insert = `INSERT INTO ${name} VALUES ($1, $2)`;
        const double = `UPDATE ${name} SET amount = amount * 2 WHERE id = $1`;
        const { id } = delivery.envelope;
        const sql = [
          { text: insert, params: [id, 21] },
          { text: double, params: [id] },
        ];
        return doneWith({ sql });
      });
      const [plain, keyed] = [context.envelope(), context.envelope({ key: 'k' })];
      await engine.send([plain, keyed]);
      for (const { id } of [plain, keyed]) await reaches(context, engine, id, 'done');
      const expected = [plain.id, keyed.id].sort().map((id) => ({ id, amount: 42 }));
      expect(await rows()).toEqual(expected);
    },
  },
  {
    promise: 'a turn whose SQL fails stores nothing',
    needs: 'sql',
    async run(context) {
      const engine = await context.engine();
      const { table, rows } = await ledger(engine, context);
      const lost = context.envelope({ actor: context.other });
      const refusals: Error[] = [];
      await context.consume(engine, ({ envelope: { id } }) =>
        doneWith(
          {
            sends: [lost],
            state: { data: 1, revision: 0, version: 1 },
            sql: [
              { text: `INSERT INTO ${table} VALUES ($1, 1)`, params: [id] },
              { text: `INSERT INTO ${table} VALUES ($1, 2)`, params: [id] },
            ],
          },
          (error) => {
            refusals.push(error);
            return done();
          },
        ),
      );
      const message = context.envelope({ key: 'k' });
      await engine.send([message]);
      await reaches(context, engine, message.id, 'done');
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toBeInstanceOf(TurnSqlError);
      expect(refusals[0]).toMatchObject({ code: 'turn_sql_failed', cause: { code: '23505' } });
      expect(await rows()).toEqual([]);
      await expectAbsent(engine, context.other, [lost]);
      expect(await engine.state(context.actor, 'k')).toBeUndefined();
    },
  },
  {
    promise: 'a turn whose SQL fails only at the commit, or cannot be sent, stores nothing',
    needs: 'sql',
    async run(context) {
      const engine = await context.engine();
      const { table, rows } = await ledger(engine, context);
      await poolOf(engine, context).query(
        `ALTER TABLE ${table} ADD of text REFERENCES ${table} DEFERRABLE INITIALLY DEFERRED`,
      );
      const unreadable = () => {
        throw new Error('this value cannot be written');
      };
      const unsendable = { toJSON: unreadable, toString: unreadable };
      const failing = [
        { text: `INSERT INTO ${table} VALUES ('late', 1, 'nobody')`, params: [] },
        { text: `INSERT INTO ${table} VALUES ($1, 1)`, params: [unsendable] },
      ];
      const refusals: Error[] = [];
      await context.consume(engine, ({ envelope: { data } }) =>
        doneWith({ sql: [failing[Number(data['n'])]!] }, (error) => {
          refusals.push(error);
          return done();
        }),
      );
      const messages = failing.map((_, n) => context.envelope({ data: { n } }));
      await engine.send(messages);
      for (const { id } of messages) await reaches(context, engine, id, 'done');
      expect(refusals).toHaveLength(2);
      for (const refusal of refusals) expect(refusal).toBeInstanceOf(TurnSqlError);
      expect(await rows()).toEqual([]);
    },
  },
  {
    promise: 'a message with a key is refused by a transaction that sees only what was before it',
    needs: 'sql',
    async run(context) {
      const engine = await context.engine();
      const session = await poolOf(engine, context).connect();
      const keyed = context.envelope({ key: 'k' });
      try {
        await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        await engine.send([context.envelope()], session);
        await expect(engine.send([keyed], session)).rejects.toMatchObject({
          code: 'invalid_option',
          path: 'tx',
        });
      } finally {
        await session.query('ROLLBACK');
        session.release();
      }
      await expectAbsent(engine, context.actor, [keyed]);
    },
  },
  {
    promise:
      'a send joins the transaction of its caller: stored if it commits, not if it rolls back',
    needs: 'sql',
    async run(context) {
      const engine = await context.engine();
      const { table, rows } = await ledger(engine, context);
      const { deliveries } = await context.consume(engine);
      const session = await poolOf(engine, context).connect();
      const [kept, gone] = [context.named(context.id('kept')), context.named(context.id('gone'))];
      try {
        await session.query('BEGIN');
        await session.query(`INSERT INTO ${table} VALUES ('one', 1)`);
        await engine.send([gone], session);
        await session.query('ROLLBACK');
        await session.query('BEGIN');
        await session.query(`INSERT INTO ${table} VALUES ('two', 2)`);
        await engine.send([kept], session);
        await session.query('COMMIT');
        await session.query('BEGIN');
        const refused = engine.send([{ ...kept, fingerprint: 'another body' }], session);
        await expect(refused).rejects.toBeInstanceOf(IdempotencyConflictError);
        await session.query('ROLLBACK');
      } finally {
        session.release();
      }
      await eventually(() => deliveries.length === 1);
      await reaches(context, engine, kept.id, 'done');
      await expectAbsent(engine, context.actor, [gone]);
      expect(await rows()).toEqual([{ id: 'two', amount: 2 }]);
      // Its id was not used.
      await engine.send([gone]);
      await reaches(context, engine, gone.id, 'done');
    },
  },
];
