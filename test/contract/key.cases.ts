import { expect } from 'vitest';
import { MailboxFullError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { done, doneWith, quarantine } from './context.js';
import { expectAbsent, expectCounts, field, ids, reaches } from './expect.js';
import { gate } from './gate.js';

export const keyCases: Case[] = [
  {
    promise: 'a store says whether processes share it, and whether it speaks SQL',
    async run(context) {
      const { store } = await context.engine();
      const { lacks } = context.driver;
      expect([store.shared, store.sql]).toEqual([!lacks.shared, !lacks.sql]);
    },
  },
  {
    promise: 'keys with messages are listed, by age or by depth',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const { consumer } = await context.consume(engine, (delivery) =>
        delivery.envelope.key === 'stopped' ? quarantine(delivery) : done(),
      );
      const stopped = context.envelope({ key: 'stopped' });
      await engine.send([stopped]);
      await eventually(async () => (await engine.quarantined(actor)).length === 1);
      consumer.limit(0);
      const [a, b] = [context.envelope({ key: 'a' }), context.envelope({ key: 'b' })];
      const more = ['b', 'stopped', 'b'].map((key) => context.envelope({ key }));
      const notYet = context.envelope({ key: 'later', dueAt: Date.now() + 60_000 });
      await engine.send([a, b, ...more, notYet, context.envelope()]);
      const rows = [
        { key: 'stopped', depth: 2, since: stopped.sentAt, isQuarantined: true },
        { key: 'a', depth: 1, since: a.sentAt, isQuarantined: false },
        { key: 'b', depth: 3, since: b.sentAt, isQuarantined: false },
      ] as const;
      expect(await engine.keys(actor, { by: 'age', limit: 10 })).toEqual(rows);
      expect(await engine.keys(actor, { by: 'age', limit: 2 })).toEqual(rows.slice(0, 2));
      for (const row of rows) expect(await engine.key(actor, row.key)).toEqual(row);
      for (const key of ['later', 'none']) expect(await engine.key(actor, key)).toBeUndefined();
      const byDepth = await engine.keys(actor, { by: 'depth', limit: 2 });
      expect(byDepth).toEqual([rows[2], rows[0]]);
      expect(await engine.keys(other, { by: 'age', limit: 10 })).toEqual([]);
      consumer.limit(1);
      await eventually(async () => (await engine.counts(actor)).done === 5);
      expect(await engine.keys(actor, { by: 'depth', limit: 10 })).toEqual([rows[0]]);
    },
  },
  {
    promise: 'a quarantined key stands still, keeps its mailbox, and goes on when it is released',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      let broken = true;
      const { deliveries } = await context.consume(
        engine,
        (delivery) => {
          const { key, data } = delivery.envelope;
          return broken && key !== 'fine' && data['n'] === 0 ? quarantine(delivery) : done();
        },
        { concurrency: 4 },
      );
      const before = Date.now();
      const rows = ['b', 'a', 'b', 'b'].map((key, at) =>
        context.envelope({ key, data: { n: key === 'b' && at > 0 ? at : 0 } }),
      );
      await engine.send(rows);
      await eventually(async () => (await engine.quarantined(actor)).length === 2);
      await engine.send([context.envelope({ key: 'b', data: { n: 4 } })]);
      const fine = Array.from({ length: 20 }, () => context.envelope({ key: 'fine' }));
      await engine.send(fine);
      await reaches(context, engine, ids(fine).at(-1)!, 'done');
      expect(deliveries).toHaveLength(22);

      const [a, b, ...more] = await engine.quarantined(actor);
      expect(more).toEqual([]);
      expect(a).toMatchObject({ key: 'a', depth: 1, storageId: rows[1]?.id });
      expect(b).toMatchObject({ key: 'b', depth: 4, storageId: rows[0]?.id });
      expect(b?.attempt).toMatchObject({ attempt: 1, error: { name: 'Boom', code: 'E_BOOM' } });
      expect(b?.since).toBeGreaterThanOrEqual(before);
      expect(await engine.quarantined(other)).toEqual([]);
      const counts = await engine.counts(actor);
      expect(counts).toMatchObject({ done: 20, active: 0, dead: 0 });
      expect(counts.waiting + counts.delayed).toBe(5);

      broken = false;
      expect(await engine.release(actor, 'unknown')).toBe(false);
      expect(await engine.release(other, 'b')).toBe(false);
      expect(await engine.release(actor, 'b')).toBe(true);
      expect(await engine.release(actor, 'b')).toBe(false);
      await eventually(async () => (await engine.counts(actor)).done === 24);
      const again = deliveries.slice(22);
      expect(field(again, 'n')).toEqual([0, 2, 3, 4]);
      expect(again[0]).toMatchObject({ attempt: 2, history: [{ attempt: 1 }], isFirst: false });
      expect((await engine.quarantined(actor)).map(({ key }) => key)).toEqual(['a']);
    },
  },
  {
    promise: 'a mailbox takes as many messages as it may, and refuses one more',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const held = gate();
      const { deliveries } = await context.consume(
        engine,
        async ({ envelope }) => {
          if (envelope.key === 'k') await held.opened;
          return done();
        },
        { concurrency: 2, mailbox: 3 },
      );
      await engine.send([context.envelope({ key: 'k' })]);
      await eventually(() => deliveries.length === 1);
      const waiting = [1, 2, 3].map((n) => context.named(context.id(`${n}`), 'same', { key: 'k' }));
      await engine.send(waiting.slice(0, 1));
      await engine.send(waiting.slice(1));
      const surplus = context.envelope({ key: 'k' });
      const batch = [context.envelope({ key: 'free' }), surplus];
      await expect(engine.send(batch)).rejects.toThrow(MailboxFullError);
      await expect(engine.send([surplus])).rejects.toMatchObject({ actor, key: 'k', max: 3 });
      await expectAbsent(engine, actor, batch);
      const four = Array.from({ length: 4 }, () => context.envelope({ key: 'at once' }));
      await expect(engine.send(four)).rejects.toThrow(MailboxFullError);
      await expectCounts(context, engine, { active: 1, waiting: 3 });
      // What is stored already takes no room, and neither do other keys and messages without one.
      await engine.send(waiting);
      await engine.send([context.envelope({ key: 'free' }), context.envelope()]);
      held.open();
      await eventually(async () => (await engine.counts(actor)).done === 6);
      await engine.send([surplus]);
      await reaches(context, engine, surplus.id, 'done');
    },
  },
  {
    promise: 'a limit of mailboxes stays as it was when none is named, and goes with Infinity',
    async run(context) {
      const engine = await context.engine();
      const { consumer } = await context.consume(engine, done, { mailbox: 1 });
      await consumer.stop(0);
      await engine.send([context.envelope({ key: 'k' })]);
      const more = [context.envelope({ key: 'k' })];
      (await context.consume(engine, done)).consumer.limit(0);
      await expect(engine.send([...more, context.envelope({ key: 'k' })])).rejects.toThrow(
        MailboxFullError,
      );
      (await context.consume(engine, done, { mailbox: Infinity })).consumer.limit(0);
      await expect(engine.send([...more, context.envelope({ key: 'k' })])).resolves.toBeUndefined();
    },
  },
  {
    promise: 'a turn that sends to a full mailbox stores nothing',
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const full = await context.consume(engine, done, { actor: other, mailbox: 1 });
      full.consumer.limit(0);
      await engine.send([context.envelope({ actor: other, key: 'k' })]);
      const lost = [
        context.envelope({ actor: other }),
        context.envelope({ actor: other, key: 'k' }),
      ];
      const refusals: Error[] = [];
      await context.consume(engine, () =>
        doneWith({ sends: lost, state: { data: 1, revision: 0, version: 1 } }, (error) => {
          refusals.push(error);
          return done();
        }),
      );
      const message = context.envelope({ key: 'sender' });
      await engine.send([message]);
      await reaches(context, engine, message.id, 'done');
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toBeInstanceOf(MailboxFullError);
      await expectAbsent(engine, other, lost);
      expect(await engine.state(context.actor, 'sender')).toBeUndefined();
    },
  },
];
