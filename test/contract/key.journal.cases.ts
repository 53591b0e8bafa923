import { expect } from 'vitest';
import type { Delivery, Engine, Outcome } from '../../libs/messaging/src/engine.js';
import type { JsonObject } from '../../libs/messaging/src/json.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, dead, done, doneWith, quarantine, release, retry } from './context.js';
import type { Context } from './context.js';
import { expectAbsent, ids, reaches } from './expect.js';

/** What a turn leaves that writes these rows. */
const writing = (rows: readonly JsonObject[], keep = 100): Outcome =>
  doneWith({ journal: { rows, keep } });

/** A turn that writes the rows in its message's data. */
const write = ({ envelope: { data } }: Delivery): Outcome =>
  writing(data['rows'] as JsonObject[], Number(data['keep'] ?? 100));

const rowsOf = async (engine: Engine, actor: string, key = 'k', limit = 1_000) =>
  (await engine.journal(actor, key, { limit })).map(({ row }) => row['n']);

/** Sends to the key and waits for the end of the last. */
async function handled(
  context: Context,
  engine: Engine,
  datas: readonly JsonObject[],
  key = 'k',
): Promise<void> {
  const sent = datas.map((data) => context.envelope({ key, data }));
  await engine.send(sent);
  await reaches(context, engine, sent.at(-1)!.id, 'done');
}

const numbered = (...numbers: number[]): JsonObject[] => numbers.map((n) => ({ n }));

export const keyJournalCases: Case[] = [
  {
    promise: 'rows that turns leave are in the journal of their key, newest first, page by page',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const rich = { n: 1, text: 'ä "\\ \u2028', list: [1, [null]], '': { z: 1, a: 0.5 } };
      await context.consume(engine, (delivery) =>
        delivery.envelope.data['isRich'] ? writing([rich, { n: 2 }]) : write(delivery),
      );
      const page = { limit: 10 };
      expect(await engine.journal(actor, 'k', page)).toEqual([]);
      const from = Date.now() - 1_000;
      await handled(context, engine, [
        { isRich: true },
        { rows: numbered(3) },
        { rows: numbered(4, 5, 6) },
      ]);
      await handled(context, engine, [{ rows: numbered(9) }], 'l');
      const rows = await engine.journal(actor, 'k', page);
      expect(rows.map(({ row }) => row)).toEqual([...numbered(6, 5, 4, 3, 2), rich]);
      expect(JSON.stringify(rows[5]?.row)).toBe(JSON.stringify(rich));
      for (const { at } of rows) {
        expect(at).toBeGreaterThan(from);
        expect(at).toBeLessThan(Date.now() + 1_000);
      }
      expect(new Set(ids(rows)).size).toBe(6);
      const places = [rows[1]!.id, rows[3]!.id];
      expect(await engine.journal(actor, 'k', { limit: 2 })).toEqual(rows.slice(0, 2));
      const second = await engine.journal(actor, 'k', { before: places[0]!, limit: 2 });
      expect(second).toEqual(rows.slice(2, 4));
      const third = await engine.journal(actor, 'k', { before: places[1]!, limit: 3 });
      expect(third).toEqual(rows.slice(4));
      expect(await engine.journal(actor, 'k', { before: rows[5]!.id, limit: 3 })).toEqual([]);
      expect(await rowsOf(engine, actor, 'l')).toEqual([9]);
      expect(await rowsOf(engine, other)).toEqual([]);
    },
  },
  {
    promise: 'of a journal the newest rows are kept, as many as the turn says that adds some',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await context.consume(engine, write);
      await handled(context, engine, [{ rows: numbered(1, 2, 3, 4), keep: 5 }]);
      const [, , , oldest] = await engine.journal(actor, 'k', { limit: 10 });
      await handled(context, engine, [{ rows: numbered(5, 6), keep: 5 }]);
      expect(await rowsOf(engine, actor)).toEqual([6, 5, 4, 3, 2]);
      // A row that is gone is still a place.
      const none = await engine.journal(actor, 'k', { before: oldest!.id, limit: 10 });
      expect(none).toEqual([]);
      await handled(context, engine, [{ rows: numbered(7, 8, 9, 10), keep: 3 }]);
      expect(await rowsOf(engine, actor)).toEqual([10, 9, 8]);
      await handled(context, engine, [{ rows: numbered(11), keep: 100 }]);
      expect(await rowsOf(engine, actor)).toEqual([11, 10, 9, 8]);
      const many = Array.from({ length: 1_000 }, (_, n) => n);
      await handled(context, engine, [{ rows: numbered(...many), keep: 1_000 }]);
      expect(await rowsOf(engine, actor)).toEqual(many.toReversed());
    },
  },
  {
    promise: 'a turn that does not succeed leaves no rows',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const taken = (body: string) => context.named(context.id('taken'), body, { actor: other });
      await engine.send([taken('one')]);
      const journal = { rows: numbered(0), keep: 10 };
      // Failed attempts have no effects; a driver must not store what an earlier one would have left.
      const bad = (delivery: Delivery): Outcome[] => [
        doneWith({ sends: [taken('two')], journal }, () => retry(1)(delivery)),
        doneWith({ journal, state: { data: 0, revision: 7, version: 1 } }, () => release(1)()),
        doneWith({ sends: [taken('two')], journal }, () => dead(delivery)),
        doneWith({ sends: [taken('two')], journal }, () => cancelled()),
        doneWith({ sends: [taken('two')], journal }, () => quarantine(delivery)),
      ];
      const begun = new Set<string>();
      await context.consume(engine, (delivery) => {
        const { id, data } = delivery.envelope;
        if (begun.has(id)) return writing(numbered(Number(data['n'])));
        begun.add(id);
        return bad(delivery)[Number(data['n'])] ?? done();
      });
      await engine.send([0, 1, 2, 3, 4].map((n) => context.envelope({ key: 'k', data: { n } })));
      await eventually(async () => (await engine.quarantined(actor)).length === 1);
      expect(await rowsOf(engine, actor)).toEqual([1, 0]);
      await engine.release(actor, 'k');
      await eventually(async () => (await rowsOf(engine, actor)).length === 3);
      expect(await rowsOf(engine, actor)).toEqual([4, 1, 0]);
    },
  },
  {
    promise: 'a row, the state and the end of its message are there at the same moment',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await context.consume(engine, ({ envelope: { data }, state }) =>
        doneWith({
          journal: { rows: [data], keep: 100 },
          state: { data: data['n']!, revision: state?.revision ?? 0, version: 1 },
        }),
      );
      const torn: string[] = [];
      for (let n = 1; n <= 10; n++) {
        const message = context.envelope({ key: 'k', data: { n } });
        await engine.send([message]);
        await eventually(
          async () => {
            const [row] = await engine.journal(actor, 'k', { limit: 1 });
            const state = await engine.state(actor, 'k');
            const isDone = (await engine.find(message.id, [actor]))?.state === 'done';
            const [after] = await engine.journal(actor, 'k', { limit: 1 });
            const isThere = row?.row['n'] === n;
            if (isThere && state?.data !== n) torn.push('a row, but no state');
            if (isThere && !isDone) torn.push('a row, but not done');
            if (isDone && after?.row['n'] !== n) torn.push('done, but no row');
            return isDone;
          },
          { interval: 1 },
        );
      }
      expect(torn).toEqual([]);
    },
  },
  {
    promise: 'a forgotten key has neither state nor journal, and its next turn begins as a new one',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const told = context.envelope({ actor: other });
      const { deliveries } = await context.consume(engine, ({ envelope: { data }, state }) => {
        const revision = state?.revision ?? 0;
        if (data['forget']) return doneWith({ sends: [told], forget: { revision } });
        return doneWith({
          state: { data: 'set', revision, version: 1 },
          journal: { rows: [{ n: revision }], keep: 10 },
        });
      });
      await handled(context, engine, [{}, {}]);
      await handled(context, engine, [{}], 'l');
      expect(await rowsOf(engine, actor)).toEqual([1, 0]);
      await handled(context, engine, [{ forget: true }]);
      expect(await engine.state(actor, 'k')).toBeUndefined();
      expect(await rowsOf(engine, actor)).toEqual([]);
      expect(await engine.find(told.id, [other])).toMatchObject({ state: 'waiting' });
      expect(await engine.state(actor, 'l')).toMatchObject({ revision: 1 });
      expect(await rowsOf(engine, actor, 'l')).toEqual([0]);
      await handled(context, engine, [{}]);
      expect(deliveries.at(-1)).not.toHaveProperty('state');
      expect(await engine.state(actor, 'k')).toEqual({ data: 'set', revision: 1, version: 1 });
      expect(await rowsOf(engine, actor)).toEqual([0]);
      // One that has nothing can be forgotten too.
      await handled(context, engine, [{ forget: true }], 'new');
      expect(await engine.state(actor, 'new')).toBeUndefined();
    },
  },
  {
    promise: 'a turn forgets nothing that is refused, or began with a state that is not the last',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const taken = (body: string) => context.named(context.id('taken'), body, { actor: other });
      await engine.send([taken('one')]);
      const lost = context.envelope({ actor: other });
      const refusals: Error[] = [];
      const refused = (error: Error): Outcome => {
        refusals.push(error);
        return done();
      };
      await context.consume(engine, ({ envelope: { data }, state }) => {
        const revision = state?.revision ?? 0;
        switch (data['do']) {
          case 'conflict':
            return doneWith({ sends: [lost, taken('two')], forget: { revision } }, refused);
          case 'stale':
            return doneWith({ sends: [lost], forget: { revision: revision - 1 } }, refused);
          case 'early':
            return doneWith({ sends: [lost], forget: { revision: 1 } }, refused);
          default:
            return doneWith({
              state: { data: 'set', revision, version: 1 },
              journal: { rows: [{ n: revision }], keep: 10 },
            });
        }
      });
      await handled(context, engine, [{}, {}, { do: 'conflict' }, { do: 'stale' }]);
      await handled(context, engine, [{ do: 'early' }], 'new');
      expect(refusals.map(({ name }) => name)).toEqual([
        'IdempotencyConflictError',
        'LockLostError',
        'LockLostError',
      ]);
      expect(await engine.state(actor, 'k')).toMatchObject({ revision: 2 });
      expect(await rowsOf(engine, actor)).toEqual([1, 0]);
      await expectAbsent(engine, other, [lost]);
    },
  },
];
