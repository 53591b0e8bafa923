import { expect } from 'vitest';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import {
  IdempotencyConflictError,
  MessageActiveError,
} from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import type { Context } from './context.js';
import { dead, done, doneWith, retry } from './context.js';
import { deliveriesOf, expectAbsent, expectCounts, field, ids, reaches } from './expect.js';
import { gate } from './gate.js';

const MINUTE = 60_000;

export const replaceCases: Case[] = [
  {
    promise: 'a timer is moved, nearer or farther, by a message that replaces it',
    async run(context) {
      const engine = await context.engine();
      const now = Date.now();
      await engine.send([timer(context, context.id('nearer'), 'old', now + MINUTE)]);
      await engine.send([timer(context, context.id('farther'), 'old', now + 300)]);
      await engine.send([replacing(timer(context, context.id('nearer'), 'new', now + 500))]);
      await engine.send([replacing(timer(context, context.id('farther'), 'new', now + MINUTE))]);
      const { waiting, delayed } = await engine.counts(context.actor);
      expect(waiting + delayed).toBe(2);
      const { deliveries } = await context.consume(engine);
      await engine.send([context.envelope({ dueAt: now + 800, data: { body: 'after' } })]);
      await eventually(() => deliveries.length === 2);
      expect(field(deliveries, 'body')).toEqual(['new', 'after']);
      expect(deliveries[0]?.startedAt).toBeGreaterThanOrEqual(now + 500);
      const record = await engine.find(context.id('farther'), [context.actor]);
      expect(record).toMatchObject({ state: 'delayed', envelope: { dueAt: now + MINUTE } });
    },
  },
  {
    promise: 'a message takes the place of one that waits, is due again later, is done or is dead',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const [waiting, later, handled, lost] = ['waiting', 'again', 'done', 'dead'].map((name) =>
        context.id(name),
      );
      const { consumer } = await context.consume(engine, (delivery) => {
        if (delivery.envelope.id === later) return retry(MINUTE)(delivery);
        return delivery.envelope.id === lost ? dead(delivery) : done();
      });
      await engine.send([later, handled, lost].map((id) => body(context, id!, 'old')));
      await reaches(context, engine, later!, 'delayed');
      await reaches(context, engine, handled!, 'done');
      await reaches(context, engine, lost!, 'dead');
      await consumer.stop(0);
      await engine.send([body(context, waiting!, 'old')]);
      await expectCounts(context, engine, { waiting: 1, delayed: 1, done: 1, dead: 1 });

      const names = [waiting!, later!, handled!, lost!];
      for (const id of names) await engine.send([replacing(body(context, id, 'new'))]);
      await expectCounts(context, engine, { waiting: 4 });
      expect(await engine.deadLetters([actor], { limit: 5 })).toEqual([]);
      for (const id of names) {
        const record = await engine.find(id, [actor]);
        expect(record).toMatchObject({ state: 'waiting', history: [], redrives: 0 });
        expect(record?.envelope.data).toEqual({ body: 'new' });
      }
      const { deliveries } = await context.consume(engine);
      await eventually(async () => (await engine.counts(actor)).done === 4);
      expect(ids(deliveries).sort()).toEqual([...names].sort());
      expect(new Set(field(deliveries, 'body'))).toEqual(new Set(['new']));
      for (const delivery of deliveries) {
        expect(delivery).toMatchObject({ attempt: 1, history: [], crashes: 0 });
        expect(delivery).toMatchObject({ isFirst: true, isCancelled: false });
      }
    },
  },
  {
    promise: 'a message takes the place of one that was cancelled, and is not cancelled itself',
    async run(context) {
      const engine = await context.engine();
      await engine.send([body(context, context.id('taken back'), 'old')]);
      expect(await engine.cancel(context.id('taken back'), [context.actor])).toBe('cancelled');
      await engine.send([replacing(body(context, context.id('taken back'), 'new'))]);
      const { deliveries } = await context.consume(engine);
      await reaches(context, engine, context.id('taken back'), 'done');
      expect(deliveries).toHaveLength(1);
      expect(deliveries[0]).toMatchObject({ isCancelled: false, isFirst: true });
      expect(field(deliveries, 'body')).toEqual(['new']);
    },
  },
  {
    promise: 'one that replaces nothing is stored like any other, and its id is remembered',
    async run(context) {
      const engine = await context.engine();
      await engine.send([replacing(body(context, context.id('fresh'), 'first'))]);
      await engine.send([replacing(body(context, context.id('fresh'), 'second'))]);
      await engine.send([body(context, context.id('fresh'), 'second')]);
      await expect(engine.send([body(context, context.id('fresh'), 'first')])).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expectCounts(context, engine, { waiting: 1 });
      const { deliveries } = await context.consume(engine);
      await reaches(context, engine, context.id('fresh'), 'done');
      expect(field(deliveries, 'body')).toEqual(['second']);
    },
  },
  {
    promise: 'of many that replace one id at once one is left, and all later ones too',
    async run(context) {
      const engine = await context.engine();
      const all = Array.from({ length: 20 }, (_, n) =>
        replacing(body(context, context.id('raced'), `${n}`)),
      );
      await Promise.all(all.map((each) => engine.send([each])));
      await expectCounts(context, engine, { waiting: 1 });
      await engine.send(all);
      await expectCounts(context, engine, { waiting: 1 });
      const { deliveries } = await context.consume(engine);
      await reaches(context, engine, context.id('raced'), 'done');
      expect(field(deliveries, 'body')).toEqual(['19']);
    },
  },
  {
    promise: 'while its message is taken again and again, each replacement is refused or handled',
    async run(context) {
      const engine = await context.engine();
      let [running, most] = [0, 0];
      const { deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
          return done();
        },
        { concurrency: 3 },
      );
      const accepted: string[] = [];
      for (let n = 0; n < 200; n++) {
        try {
          await engine.send([replacing(body(context, context.id('hot'), `${n}`))]);
          accepted.push(`${n}`);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageActiveError);
        }
      }
      await reaches(context, engine, context.id('hot'), 'done');
      const handled = field(deliveries, 'body');
      expect(most).toBe(1);
      expect(handled.at(-1)).toBe(accepted.at(-1));
      // None twice, none that was refused, and in order.
      expect(handled).toEqual(accepted.filter((each) => handled.includes(each)));
      await expectCounts(context, engine, { done: 1 });
    },
  },
  {
    promise: 'a message in work is not replaced: the batch is refused and nothing of it stored',
    async run(context) {
      const engine = await context.engine();
      const held = gate();
      const { deliveries } = await context.consume(engine, async () => {
        await held.opened;
        return done();
      });
      await engine.send([body(context, context.id('busy'), 'old')]);
      await eventually(() => deliveries.length === 1);
      const batch = [context.envelope(), replacing(body(context, context.id('busy'), 'new'))];
      await expect(engine.send(batch)).rejects.toThrow(MessageActiveError);
      await expect(engine.send(batch)).rejects.toMatchObject({ id: context.id('busy') });
      await expectCounts(context, engine, { active: 1 });
      held.open();
      await reaches(context, engine, context.id('busy'), 'done');
      await engine.send(batch);
      await eventually(() => deliveries.length === 3);
      expect(field(deliveriesOf(deliveries, { id: context.id('busy') }), 'body')).toEqual([
        'old',
        'new',
      ]);
    },
  },
  {
    promise: 'a turn arms its own timer again',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine, ({ envelope }) => {
        const n = Number(envelope.data['n']) + 1;
        const dueAt = Date.now() + (n < 5 ? 30 : MINUTE);
        const next = context.named(context.id('tick'), `${n}`, {
          dueAt,
          data: { n },
          replace: true,
        });
        return doneWith({ sends: [next] });
      });
      await engine.send([context.named(context.id('tick'), '0', { data: { n: 0 } })]);
      await eventually(() => deliveries.length === 5);
      const record = await reaches(context, engine, context.id('tick'), 'delayed');
      expect(record).toMatchObject({ envelope: { data: { n: 5 } }, history: [] });
      expect(field(deliveries, 'n')).toEqual([0, 1, 2, 3, 4]);
      for (const delivery of deliveries)
        expect(delivery).toMatchObject({ attempt: 1, isFirst: true, history: [], crashes: 0 });
      for (const [n, { startedAt, envelope }] of deliveries.entries())
        if (n > 0) expect(startedAt).toBeGreaterThanOrEqual(envelope.dueAt ?? Infinity);
      expect(await engine.counts(actor)).toMatchObject({ waiting: 0, delayed: 1, active: 0 });
    },
  },
  {
    promise: 'a turn that sends its own id without replacing is told so, or changes nothing',
    async run(context) {
      const engine = await context.engine();
      const refusals: Error[] = [];
      const { deliveries } = await context.consume(engine, ({ envelope }) =>
        doneWith(
          { sends: [context.named(envelope.id, envelope.data['next'] as string)] },
          (error) => {
            refusals.push(error);
            return done();
          },
        ),
      );
      await engine.send([context.named(context.id('once'), 'same', { data: { next: 'same' } })]);
      await reaches(context, engine, context.id('once'), 'done');
      expect(refusals).toEqual([]);
      await engine.send([context.named(context.id('again'), 'same', { data: { next: 'other' } })]);
      await reaches(context, engine, context.id('again'), 'done');
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toBeInstanceOf(IdempotencyConflictError);
      expect(deliveries).toHaveLength(2);
      await expectCounts(context, engine, { done: 2 });
    },
  },
  {
    promise: "a turn that replaces another turn's message stores nothing",
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const held = gate();
      const busy = await context.consume(
        engine,
        async () => {
          await held.opened;
          return done();
        },
        { actor: other },
      );
      await engine.send([context.named(context.id('busy'), 'old', { actor: other })]);
      await eventually(() => busy.deliveries.length === 1);
      const refusals: Error[] = [];
      const lost = context.envelope({ actor: other });
      const replacement = replacing(context.named(context.id('busy'), 'new', { actor: other }));
      await context.consume(engine, () =>
        doneWith({ sends: [lost, replacement], reply: { data: 'lost' } }, (error) => {
          refusals.push(error);
          return done();
        }),
      );
      const message = context.envelope();
      await engine.send([message]);
      const record = await reaches(context, engine, message.id, 'done');
      expect(record.reply).toBeUndefined();
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toBeInstanceOf(MessageActiveError);
      await expectAbsent(engine, other, [lost]);
      held.open();
    },
  },
];

function body(context: Context, id: string, text: string): Envelope {
  return context.named(id, text, { data: { body: text } });
}

function timer(context: Context, id: string, text: string, dueAt: number): Envelope {
  return { ...body(context, id, text), dueAt };
}

function replacing(envelope: Envelope): Envelope {
  return { ...envelope, replace: true };
}
