import { expect } from 'vitest';
import type { Outcome } from '../../libs/messaging/src/engine.js';
import { IdempotencyConflictError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, deadWith, done, doneWith, quarantine, release, retry } from './context.js';
import { expectAbsent, expectCounts, field, ids, reaches } from './expect.js';

export const effectCases: Case[] = [
  {
    promise: 'what a turn sends, its reply and its end are there at the same moment',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const messages = Array.from({ length: 20 }, (_, n) => context.envelope({ data: { n } }));
      const sends = messages.map((_, n) =>
        [0, 1, 2].map((part) => context.envelope({ actor: other, data: { n, part } })),
      );
      const { deliveries } = await context.consume(engine, ({ envelope: { data } }) =>
        doneWith({ sends: sends[Number(data['n'])], reply: { data } }),
      );
      const torn: string[] = [];
      for (const [n, message] of messages.entries()) {
        const last = sends[n]?.[2]?.id ?? '';
        await engine.send([message]);
        await eventually(
          async () => {
            const before = await engine.find(last, [other]);
            const record = await engine.find(message.id, [actor]);
            const after = await engine.find(last, [other]);
            const isDone = record?.state === 'done';
            if (before && !isDone) torn.push(`sent, but ${record?.state}`);
            if (isDone && !after) torn.push('done, but not sent');
            if (isDone && record.reply === undefined) torn.push('done, but without reply');
            return isDone;
          },
          { interval: 1 },
        );
      }
      expect(torn).toEqual([]);
      expect(deliveries).toHaveLength(20);
      expect(await engine.counts(other)).toMatchObject({ waiting: 60 });
      for (const [n, { id }] of messages.entries())
        expect((await engine.find(id, [actor]))?.reply).toEqual({ data: { n } });
    },
  },
  {
    promise: 'a turn whose sends are refused stores nothing, and what it answers then is committed',
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const to = { actor: other };
      await engine.send([context.named(context.id('taken'), 'one body', to)]);
      const lost = Array.from({ length: 5 }, () => context.envelope(to));
      const kept = [context.envelope(to), context.envelope(to)];
      const errors: Error[] = [];
      const { deliveries } = await context.consume(engine, (delivery) => {
        if (!delivery.isFirst) return doneWith({ sends: kept.slice(0, 1) });
        const n = Number(delivery.envelope.data['n']);
        const sends = [lost[n]!, context.named(context.id('taken'), 'another body', to)];
        return doneWith({ sends, reply: { data: 'lost' } }, async (error) => {
          errors.push(error);
          const answers = [
            retry(10),
            deadWith(kept.slice(1)),
            () => doneWith({ reply: { data: 'kept' } }),
            release(),
            cancelled,
          ];
          return answers[n]!(delivery);
        });
      });
      const messages = lost.map((_, n) => context.envelope({ data: { n } }));
      await engine.send(messages);
      await eventually(async () => {
        const counts = await engine.counts(context.actor);
        return counts.done + counts.dead === 5;
      });
      expect(errors).toHaveLength(5);
      for (const error of errors) expect(error).toBeInstanceOf(IdempotencyConflictError);
      expect(errors[0]).toMatchObject({ id: context.id('taken') });
      const records = await Promise.all(
        messages.map(async ({ id }) => engine.find(id, [context.actor])),
      );
      expect(records.map((record) => record?.state)).toEqual([
        ...['done', 'dead', 'done', 'done', 'cancelled'],
      ]);
      await expectAbsent(engine, other, lost);
      for (const { id } of kept) expect(await engine.find(id, [other])).toBeDefined();
      expect(records.map((record) => record?.reply)).toEqual([
        undefined,
        undefined,
        { data: 'kept' },
        undefined,
        undefined,
      ]);
      expect(records.map((record) => record?.history.length)).toEqual([1, 1, 0, 0, 0]);
      expect(
        field(deliveries, 'n')
          .map(Number)
          .sort((a, b) => a - b),
      ).toEqual([0, 0, 1, 2, 3, 3, 4]);
      await expectCounts(context, engine, { done: 4, dead: 1 });
    },
  },
  {
    promise:
      'what a turn sends keeps its order and priority, and is not given out before it is due',
    waits: true,
    async run(context) {
      const engine = await context.engine();
      const to = { actor: context.other };
      const priorities = [100, 7, 100, 1, 7, 100];
      const now = priorities.map((priority, n) =>
        context.envelope({ ...to, priority, data: { n } }),
      );
      const dueAt = Date.now() + 1_500;
      // Last by its priority too: a slow machine may begin none of them before it is due.
      const later = context.envelope({ ...to, dueAt, priority: 200, data: { n: 'later' } });
      const message = context.envelope();
      await engine.send([message]);
      await context.consume(engine, () => doneWith({ sends: [later, ...now] }));
      await reaches(context, engine, message.id, 'done');
      expect((await engine.find(later.id, [context.other]))?.envelope).toEqual(later);
      const { deliveries } = await context.consume(engine, done, to);
      await eventually(() => deliveries.length === 7);
      expect(field(deliveries, 'n')).toEqual([3, 1, 4, 0, 2, 5, 'later']);
      expect(deliveries[6]?.startedAt).toBeGreaterThanOrEqual(dueAt);
      expect(deliveries[0]?.envelope).toEqual(now[3]);
    },
  },
  {
    promise: 'a turn may send again what is stored already, and one id twice',
    async run(context) {
      const engine = await context.engine();
      const to = { actor: context.other };
      const [known, twice] = [
        context.named(context.id('known'), 'same', to),
        context.named(context.id('twice'), 'same', to),
      ];
      await engine.send([known]);
      const message = context.envelope();
      await engine.send([message]);
      const refusals: Error[] = [];
      await context.consume(engine, () =>
        doneWith({ sends: [known, twice, twice] }, (error) => {
          refusals.push(error);
          return done();
        }),
      );
      await reaches(context, engine, message.id, 'done');
      expect(refusals).toEqual([]);
      expect(await engine.counts(context.other)).toMatchObject({ waiting: 2 });
    },
  },
  {
    promise: 'what a turn sends wakes consumers that have nothing to do, its own included',
    async run(context) {
      const engine = await context.engine();
      const back = await context.consume(
        engine,
        ({ envelope: { data } }) => doneWith({ sends: [context.envelope({ data })] }),
        { actor: context.other },
      );
      const { deliveries } = await context.consume(engine, ({ envelope: { data } }) => {
        const n = Number(data['n']) - 1;
        const actor = n % 2 ? context.other : context.actor;
        return n < 0 ? done() : doneWith({ sends: [context.envelope({ actor, data: { n } })] });
      });
      await engine.send([context.envelope({ data: { n: 20 } })]);
      await eventually(() => field(deliveries, 'n').includes(0));
      expect(field(deliveries, 'n')).toEqual(Array.from({ length: 21 }, (_, n) => 20 - n));
      expect(back.deliveries).toHaveLength(10);
    },
  },
  {
    promise: 'each of many turns at the same time leaves its messages once',
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const size = 4;
      const { deliveries } = await context.consume(
        engine,
        ({ envelope: { data } }) =>
          doneWith({
            sends: Array.from({ length: size }, (_, part) =>
              context.envelope({ actor: other, data: { part: `${Number(data['n'])}.${part}` } }),
            ),
          }),
        { concurrency: 8 },
      );
      await engine.send(Array.from({ length: 60 }, (_, n) => context.envelope({ data: { n } })));
      await eventually(async () => (await engine.counts(context.actor)).done === 60);
      const sent = await context.consume(engine, done, { actor: other, concurrency: 8 });
      await eventually(async () => (await engine.counts(other)).done === 60 * size);
      expect(deliveries).toHaveLength(60);
      expect(new Set(field(sent.deliveries, 'part')).size).toBe(60 * size);
      expect(sent.deliveries).toHaveLength(60 * size);
    },
  },
  {
    promise: 'a turn may send a thousand messages',
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const sends = Array.from({ length: 1_000 }, (_, n) =>
        n % 2
          ? context.envelope({ actor: other, data: { n } })
          : context.named(context.id(`${n}`), 'same', { actor: other, data: { n } }),
      );
      const message = context.envelope();
      await engine.send([message]);
      await context.consume(engine, () => doneWith({ sends }));
      await reaches(context, engine, message.id, 'done');
      expect(await engine.counts(other)).toMatchObject({ waiting: 1_000 });
      const { deliveries } = await context.consume(engine, done, { actor: other, concurrency: 50 });
      await eventually(() => deliveries.length >= 1_000, { timeout: 40_000 });
      expect(new Set(ids(deliveries))).toEqual(new Set(ids(sends)));
      // A starved process may lose a lock, and be given a message again.
      expect(deliveries.filter(({ crashes }) => crashes === 0)).toHaveLength(1_000);
    },
  },
  {
    promise: 'a dead letter and what its turn sends are there at the same moment',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const messages = Array.from({ length: 10 }, (_, n) => context.envelope({ data: { n } }));
      const sends = messages.map(() => [
        context.envelope({ actor: other, priority: 2 }),
        context.envelope({ actor: other, priority: 1 }),
      ]);
      await context.consume(engine, (delivery) =>
        deadWith(sends[Number(delivery.envelope.data['n'])] ?? [])(delivery),
      );
      const torn: string[] = [];
      for (const [n, message] of messages.entries()) {
        const last = sends[n]?.[1]?.id ?? '';
        await engine.send([message]);
        await eventually(
          async () => {
            const before = await engine.find(last, [other]);
            const record = await engine.find(message.id, [actor]);
            const after = await engine.find(last, [other]);
            const isDead = record?.state === 'dead';
            if (before && !isDead) torn.push(`sent, but ${record?.state}`);
            if (isDead && !after) torn.push('dead, but not sent');
            return isDead;
          },
          { interval: 1 },
        );
      }
      expect(torn).toEqual([]);
      await expectCounts(context, engine, { dead: 10 });
      const told = await context.consume(engine, done, { actor: other });
      await eventually(() => told.deliveries.length === 20);
      expect(ids(told.deliveries)).toEqual([
        ...sends.map(([, urgent]) => urgent?.id),
        ...sends.map(([first]) => first?.id),
      ]);
    },
  },
  {
    promise:
      'a dead letter whose sends are refused stores none of them, and its message is not lost',
    waits: true,
    async run(context) {
      const engine = await context.engine();
      const to = { actor: context.other };
      await engine.send([context.named(context.id('taken'), 'one body', to)]);
      const lost = context.envelope(to);
      let turns = 0;
      await context.consume(engine, (delivery) =>
        ++turns === 1
          ? deadWith([lost, context.named(context.id('taken'), 'another body', to)])(delivery)
          : deadWith([])(delivery),
      );
      const message = context.envelope();
      await engine.send([message]);
      await reaches(context, engine, message.id, 'dead');
      await expectAbsent(engine, context.other, [lost]);
    },
  },
  {
    promise:
      'a message that should stop its key, and stands in no mailbox, is given up with its sends',
    async run(context) {
      const engine = await context.engine();
      const told = context.envelope({ actor: context.other });
      await context.consume(engine, (delivery) => ({
        ...(quarantine(delivery) as Extract<Outcome, { kind: 'quarantine' }>),
        sends: [told],
      }));
      const message = context.envelope();
      await engine.send([message]);
      const { reason } = await reaches(context, engine, message.id, 'dead');
      expect(reason).toBe('quarantined');
      expect(await engine.find(told.id, [context.other])).toMatchObject({ state: 'waiting' });
    },
  },
];
