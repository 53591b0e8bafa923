import { expect } from 'vitest';
import type { Engine } from '../../libs/messaging/src/engine.js';
import { copyId, generateId } from '../../libs/messaging/src/envelope.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, doneWith } from './context.js';
import { expectCounts, ids, reaches } from './expect.js';

async function boundBy(engine: Engine, owner: string): Promise<unknown> {
  const bound = await engine.bound(owner);
  expect((await engine.bindings())?.owners[owner]).toEqual(bound);
  return bound;
}

export const eventCases: Case[] = [
  {
    promise: 'what an owner binds takes the place of what it had bound, and others keep theirs',
    async run(context) {
      const engine = await context.engine();
      const [one, two] = [context.actor, context.other];
      expect(await boundBy(engine, one)).toBeUndefined();
      await engine.bind(one, [{ type: 'a.b', when: "data.name == 'Zoë'" }, { topic: '**' }]);
      await engine.bind(two, { deep: [null, true, 1.5, { b: 1, a: '' }] });
      expect(await boundBy(engine, one)).toEqual([
        { type: 'a.b', when: "data.name == 'Zoë'" },
        { topic: '**' },
      ]);
      expect(await boundBy(engine, two)).toEqual({ deep: [null, true, 1.5, { b: 1, a: '' }] });
      await engine.bind(one, 'less');
      expect(await boundBy(engine, one)).toBe('less');
      expect(await engine.bind(one, undefined)).toBe(true);
      expect(await engine.bind(one, undefined)).toBe(false);
      expect(await boundBy(engine, one)).toBeUndefined();
      expect(await boundBy(engine, two)).toBeDefined();
    },
  },
  {
    promise: 'the version of what is bound changes with it, and with nothing else',
    async run(context) {
      const engine = await context.engine();
      const versions = new Set<string>();
      for (const value of [[1], [2], undefined, [1]]) {
        await engine.bind(context.actor, value);
        const { version } = (await engine.bindings())!;
        expect(versions).not.toContain(version);
        versions.add(version);
        // The same once more is no change.
        await engine.bind(context.actor, value);
        expect(await engine.bindings(version)).toBeUndefined();
      }
      expect(await engine.bindings('another')).toEqual(await engine.bindings());
    },
  },
  {
    promise: 'who binds a lower revision changes nothing',
    async run(context) {
      const engine = await context.engine();
      const owner = context.actor;
      expect(await engine.bind(owner, { revision: 2, to: 'b' })).toBe(true);
      const { version } = (await engine.bindings())!;
      expect(await engine.bind(owner, { revision: 1, to: 'a' })).toBe(false);
      expect(await engine.bindings(version)).toBeUndefined();
      expect(await boundBy(engine, owner)).toEqual({ revision: 2, to: 'b' });
      // A turn that is repeated, or one that takes the place of one that never ended.
      expect(await engine.bind(owner, { revision: 2, to: 'c' })).toBe(true);
      expect(await engine.bind(owner, { revision: 10 })).toBe(true);
      expect(await engine.bind(owner, { revision: 9, to: 'd' })).toBe(false);
      expect(await boundBy(engine, owner)).toEqual({ revision: 10 });
      // What has none is not compared.
      expect(await engine.bind(owner, ['x'])).toBe(true);
      expect(await engine.bind(owner, { revision: 1 })).toBe(true);
      expect(await engine.bind(owner, undefined)).toBe(true);
    },
  },
  {
    promise: 'of those that bind a higher revision only, one takes each',
    async run(context) {
      const engine = await context.engine();
      const owner = context.actor;
      expect(await engine.bind(owner, { revision: 1, to: 'a' }, 'higher')).toBe(true);
      const { version } = (await engine.bindings())!;
      expect(await engine.bind(owner, { revision: 1, to: 'b' }, 'higher')).toBe(false);
      expect(await engine.bind(owner, { revision: 1, to: 'a' }, 'higher')).toBe(false);
      expect(await engine.bindings(version)).toBeUndefined();
      const rivals = Array.from({ length: 8 }, (_, n) => ({ revision: 2, to: n }));
      const taken = await Promise.all(rivals.map((each) => engine.bind(owner, each, 'higher')));
      expect(taken.filter(Boolean)).toEqual([true]);
      expect(await boundBy(engine, owner)).toEqual(rivals[taken.indexOf(true)]);
      // What has none is not compared.
      expect(await engine.bind(owner, ['x'], 'higher')).toBe(true);
      expect(await engine.bind(owner, { revision: 0 }, 'higher')).toBe(true);
      expect(await engine.bind(owner, ['x'], 'higher')).toBe(true);
      expect(await engine.bind(owner, { revision: -1 }, 'higher')).toBe(true);
      expect(await engine.bind(owner, undefined, 'higher')).toBe(true);
    },
  },
  {
    promise: 'owners that bind at once do not lose each other',
    async run(context) {
      const engine = await context.engine();
      const owners = Array.from({ length: 20 }, (_, n) => `${context.actor}:${n}`);
      await Promise.all(owners.map((owner) => engine.bind(owner, owner)));
      for (const owner of owners) expect(await boundBy(engine, owner)).toBe(owner);
      await Promise.all(
        owners.map((owner, n) => engine.bind(owner, n % 2 === 0 ? undefined : [owner])),
      );
      const bound = await Promise.all(owners.map((owner) => boundBy(engine, owner)));
      expect(bound).toEqual(owners.map((owner, n) => (n % 2 === 0 ? undefined : [owner])));
    },
  },
  {
    promise: 'every process sees what is bound, and its version',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      await Promise.all([one, two].map((engine) => engine.bind(context.actor, ['both'])));
      await one.bind(context.other, ['one']);
      const { version } = (await one.bindings())!;
      expect(await two.bindings(version)).toBeUndefined();
      expect(await boundBy(two, context.other)).toEqual(['one']);
      await two.bind(context.other, undefined);
      expect((await one.bindings(version))?.owners).toMatchObject({ [context.actor]: ['both'] });
      expect(await boundBy(one, context.other)).toBeUndefined();
    },
  },
  {
    promise: 'what is bound is still known after the engine is closed and opened again',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      await engine.bind(context.actor, ['kept']);
      await engine.close();
      expect(await boundBy(await context.engine(), context.actor)).toEqual(['kept']);
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
