import { expect } from 'vitest';
import { copyId, generateId } from '../../libs/messaging/src/envelope.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, doneWith } from './context.js';
import { expectCounts, ids, reaches } from './expect.js';

export const eventCases: Case[] = [
  {
    promise: 'the subscribers of an event are listed, sorted, as they last said',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const [opened, moved, closed] = [`${actor}.opened`, `${actor}.moved`, `${actor}.closed`];
      expect(await engine.subscribers(opened!)).toEqual([]);
      await engine.subscribe(other, [opened!, moved!]);
      await engine.subscribe(actor, [opened!, closed!]);
      await engine.subscribe(actor, [opened!, closed!]);
      expect(await engine.subscribers(opened!)).toEqual([actor, other]);
      expect(await engine.subscribers(moved!)).toEqual([other]);
      await engine.subscribe(other, [closed!]);
      expect(await engine.subscribers(opened!)).toEqual([actor]);
      expect(await engine.subscribers(moved!)).toEqual([]);
      expect(await engine.subscribers(closed!)).toEqual([actor, other]);
      await engine.subscribe(actor, []);
      await engine.subscribe(actor, []);
      expect(await engine.subscribers(opened!)).toEqual([]);
      expect(await engine.subscribers(closed!)).toEqual([other]);
    },
  },
  {
    promise: 'actors that subscribe at once do not lose each other',
    async run(context) {
      const engine = await context.engine();
      const type = `${context.actor}.happened`;
      const actors = Array.from({ length: 20 }, (_, n) => `${context.actor}n${n}`).sort();
      await Promise.all([...actors].reverse().map((actor) => engine.subscribe(actor, [type])));
      expect(await engine.subscribers(type)).toEqual(actors);
    },
  },
  {
    promise: 'every process sees who subscribes, and an actor that several processes run is one',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const type = `${context.actor}.happened`;
      await Promise.all([one, two].map((engine) => engine.subscribe(context.actor, [type])));
      await one.subscribe(context.other, [type]);
      expect(await two.subscribers(type)).toEqual([context.actor, context.other]);
      await two.subscribe(context.other, []);
      expect(await one.subscribers(type)).toEqual([context.actor]);
    },
  },
  {
    promise: 'who subscribes is still known after the engine is closed and opened again',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      const type = `${context.actor}.happened`;
      await engine.subscribe(context.actor, [type]);
      await engine.close();
      expect(await (await context.engine()).subscribers(type)).toEqual([context.actor]);
    },
  },
  {
    promise: "the copies of one event are messages of their own, each in its subscriber's queue",
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const type = `${actor}-topic.happened` as const;
      const generated = generateId(`${actor}-topic`);
      const copies = [generated, 'chosen'].flatMap((event) =>
        [actor, other].map((subscriber) =>
          context.envelope({
            id: copyId(event, subscriber),
            type,
            actor: subscriber,
            data: { event, subscriber },
            ...(event === 'chosen' && { fingerprint: 'same' }),
          }),
        ),
      );
      await engine.send(copies);
      await engine.send(copies);
      for (const copy of copies) {
        const found = await engine.find(copy.id, [other, actor]);
        expect(found?.envelope).toEqual(copy);
      }
      const ours = await context.consume(engine, done);
      const theirs = await context.consume(engine, dead, { actor: other });
      for (const { id, actor: owner } of copies)
        await reaches({ actor: owner }, engine, id, owner === actor ? 'done' : 'dead');
      expect(ids(ours.deliveries)).toEqual([copyId(generated, actor), copyId('chosen', actor)]);
      expect(ids(theirs.deliveries)).toEqual([copyId(generated, other), copyId('chosen', other)]);
      expect(ours.deliveries[0]?.envelope).toEqual(copies[0]);
      await expectCounts(context, engine, { done: 2 });
      expect(await engine.redrive(copyId(generated, other), [actor, other])).toBe(true);
      await eventually(() => theirs.deliveries.length === 3);
      expect(ours.deliveries).toHaveLength(2);
    },
  },
  {
    promise: 'a turn sends the copies of an event to all subscribers, or to none',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const third = `${actor}y`;
      const copiesOf = (event: string, fingerprint?: string) =>
        [other, third].map((subscriber) =>
          context.envelope({
            id: copyId(event, subscriber),
            type: `${actor}.happened`,
            actor: subscriber,
            ...(fingerprint && { fingerprint }),
          }),
        );
      const [first, second] = [generateId(actor), 'taken'];
      await engine.send(copiesOf(second, 'one body').slice(1));
      await context.consume(engine, ({ envelope: { data } }) =>
        doneWith({ sends: copiesOf(data['event'] as string, data['body'] as string) }, done),
      );
      const good = context.envelope({ data: { event: first } });
      const bad = context.envelope({ data: { event: second, body: 'another body' } });
      await engine.send([good, bad]);
      for (const { id } of [good, bad]) await reaches(context, engine, id, 'done');
      expect(await engine.counts(other)).toMatchObject({ waiting: 1 });
      expect(await engine.counts(third)).toMatchObject({ waiting: 2 });
      expect(await engine.find(copyId(second, other), [other])).toBeUndefined();
    },
  },
];
