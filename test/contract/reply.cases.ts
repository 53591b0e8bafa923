import { expect } from 'vitest';
import type { Carried } from '../../libs/messaging/src/codec.js';
import type { Engine } from '../../libs/messaging/src/engine.js';
import { generateId } from '../../libs/messaging/src/envelope.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, dead, done, doneWith, retry } from './context.js';
import { ids, reaches } from './expect.js';
import { aborted } from './gate.js';

export const replyCases: Case[] = [
  {
    promise: 'a reply is kept as it was given, and none stays none',
    async run(context) {
      const engine = await context.engine();
      const replies: (Carried | undefined)[] = [
        { data: { balance: -0.5, list: [1, null, ''], deep: { żółć: '🎬' } } },
        { data: null },
        { data: 0 },
        { data: false },
        { data: '' },
        { data: { when: '2026-01-01T00:00:00.000Z' }, types: { values: { when: ['Date'] } } },
        { data: 'x'.repeat(100_000) },
        undefined,
      ];
      await context.consume(engine, ({ envelope: { data } }) => {
        const reply = replies[Number(data['n'])];
        return doneWith(reply ? { reply } : {});
      });
      const messages = replies.map((_, n) => context.envelope({ data: { n } }));
      await engine.send(messages);
      const kept = await Promise.all(
        messages.map(async ({ id }) => (await reaches(context, engine, id, 'done')).reply),
      );
      expect(kept).toEqual(replies);
      const plain = context.envelope({ data: { n: replies.length } });
      await engine.send([plain]);
      expect((await reaches(context, engine, plain.id, 'done')).reply).toBeUndefined();
    },
  },
  {
    promise: 'whoever waits is told the id of each message that ended, however, and of no other',
    async run(context) {
      const engine = await context.engine();
      const [mine, yours] = [await inbox(engine), await inbox(engine)];
      const { deliveries } = await context.consume(engine, async (delivery) => {
        const { id, data } = delivery.envelope;
        if (id === context.id('stopped')) return aborted(delivery.stop.signal).then(cancelled);
        if (id === context.id('dead')) return dead(delivery);
        if (id === context.id('retried') && delivery.attempt < 3) return retry(5)(delivery);
        return data['plain'] ? done() : doneWith({ reply: { data: 'y'.repeat(20_000) } });
      });
      const later = { dueAt: Date.now() + 60_000 };
      const replyTo = mine.name;
      const generated = context.envelope({ replyTo });
      await engine.send([
        generated,
        context.envelope(),
        context.envelope({ replyTo: yours.name }),
        context.named(context.id('plain'), 'same', { replyTo, data: { plain: true } }),
        context.named(context.id('retried'), 'same', { replyTo }),
        context.named(context.id('dead'), 'same', { replyTo }),
        context.named(context.id('later'), 'same', { replyTo, ...later }),
        context.named(context.id('stopped'), 'same', { replyTo }),
      ]);
      expect(await engine.cancel(context.id('later'), [context.actor])).toBe('cancelled');
      await eventually(() => ids(deliveries).includes(context.id('stopped')));
      expect(await engine.cancel(context.id('stopped'), [context.actor])).toBe('cancelling');
      const names = ['plain', 'retried', 'dead', 'later', 'stopped'];
      const expected = [generated.id, ...names.map((name) => context.id(name))].sort();
      await reaches(context, engine, context.id('stopped'), 'cancelled');
      await reaches(context, engine, context.id('retried'), 'done');
      // Told last: then all others have been.
      for (const each of [mine, yours]) {
        const last = context.envelope({ replyTo: each.name });
        await engine.send([last]);
        await eventually(() => each.notices.includes(last.id));
        each.notices.splice(each.notices.indexOf(last.id), 1);
      }
      expect([...mine.notices].sort()).toEqual(expected);
      expect(yours.notices).toHaveLength(1);
    },
  },
  {
    promise: 'a message has ended when its notice comes',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const name = generateId('inbox');
      const found: unknown[] = [];
      const stop = await engine.listen(name, (id) => {
        void engine.find(id, [actor]).then((record) => found.push(record?.state, record?.reply));
      });
      await context.consume(engine, () => doneWith({ reply: { data: 42 } }));
      for (let n = 0; n < 10; n++) {
        await engine.send([context.envelope({ replyTo: name })]);
        await eventually(() => found.length === 2 * (n + 1), { interval: 2 });
        expect(found.slice(-2)).toEqual(['done', { data: 42 }]);
      }
      await stop();
    },
  },
  {
    promise: 'a dead letter that is redriven tells its end again',
    async run(context) {
      const engine = await context.engine();
      const mine = await inbox(engine);
      let broken = true;
      await context.consume(engine, (delivery) => (broken ? dead(delivery) : done()));
      await engine.send([context.named(context.id('asked'), 'same', { replyTo: mine.name })]);
      await eventually(() => mine.notices.length === 1);
      broken = false;
      await engine.redrive(context.id('asked'), [context.actor]);
      await eventually(() => mine.notices.length === 2);
      expect(mine.notices).toEqual([context.id('asked'), context.id('asked')]);
    },
  },
  {
    promise: 'whoever has stopped listening is told nothing more, others still are',
    async run(context) {
      const engine = await context.engine();
      const [mine, yours] = [await inbox(engine), await inbox(engine)];
      await context.consume(engine);
      const send = async (n: number): Promise<void> => {
        await engine.send([context.envelope({ replyTo: mine.name })]);
        await engine.send([context.envelope({ replyTo: yours.name })]);
        await eventually(() => yours.notices.length === n);
      };
      await send(1);
      await eventually(() => mine.notices.length === 1);
      await mine.stop();
      await send(2);
      await send(3);
      expect(mine.notices).toHaveLength(1);
      await mine.stop();
      const again = await inbox(engine, mine.name);
      await send(4);
      await eventually(() => again.notices.length === 1);
      expect(mine.notices).toHaveLength(1);
    },
  },
  {
    promise: 'the end of a message is told to the process that waits for it',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const mine = await inbox(two);
      await context.consume(one, (delivery) =>
        delivery.envelope.data['dies'] ? dead(delivery) : doneWith({ reply: { data: 'yes' } }),
      );
      const later = context.envelope({ replyTo: mine.name, dueAt: Date.now() + 60_000 });
      const sent = [
        context.envelope({ replyTo: mine.name }),
        context.envelope({ replyTo: mine.name, data: { dies: true } }),
      ];
      await two.send([...sent, later]);
      expect(await one.cancel(later.id, [context.actor])).toBe('cancelled');
      await eventually(() => mine.notices.length === 3);
      expect([...mine.notices].sort()).toEqual(ids([...sent, later]).sort());
      const record = await two.find(sent[0]?.id ?? '', [context.actor]);
      expect(record).toMatchObject({ state: 'done', reply: { data: 'yes' } });
    },
  },
];

/** Listens under a name of its own, and keeps what it is told. */
async function inbox(
  engine: Engine,
  name: string = generateId('inbox'),
): Promise<{ name: string; notices: string[]; stop: () => Promise<void> }> {
  const notices: string[] = [];
  const stop = await engine.listen(name, (id) => notices.push(id));
  return { name, notices, stop };
}
