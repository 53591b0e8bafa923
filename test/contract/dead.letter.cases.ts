import { expect } from 'vitest';
import type { MessageRecord } from '../../libs/messaging/src/engine.js';
import { IdempotencyConflictError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, retry } from './context.js';
import { expectAbsent, expectCounts, ids, reaches } from './expect.js';

export const deadLetterCases: Case[] = [
  {
    promise:
      'a discarded dead letter is gone for good, only dead letters can be, and its id stays taken',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const { consumer } = await context.consume(engine, (delivery) =>
        delivery.envelope.id === context.id('done') ? done() : dead(delivery),
      );
      const [generated, done1] = [context.envelope(), context.named(context.id('done'))];
      await engine.send([
        context.named(context.id('dead')),
        generated,
        done1,
        context.named(context.id('kept')),
      ]);
      await eventually(async () => (await engine.counts(actor)).dead === 3);
      await reaches(context, engine, context.id('done'), 'done');
      await consumer.stop(0);
      await engine.send([context.named(context.id('waiting'))]);

      expect(await engine.discard(context.id('dead'), [other])).toBe(false);
      expect(await engine.discard(context.id('dead'), [other, actor])).toBe(true);
      expect(await engine.discard(context.id('dead'), [actor])).toBe(false);
      expect(await engine.discard(generated.id, [actor])).toBe(true);
      for (const name of ['done', 'waiting', 'unknown'])
        expect(await engine.discard(context.id(name), [actor])).toBe(false);
      await expectCounts(context, engine, { dead: 1, done: 1, waiting: 1 });
      expect(await engine.find(context.id('dead'), [actor])).toBeUndefined();
      expect(await engine.redrive(context.id('dead'), [actor])).toBe(false);
      expect(ids(await engine.deadLetters([actor], { limit: 10 }))).toEqual([context.id('kept')]);

      await engine.send([context.named(context.id('dead'))]);
      await expect(engine.send([context.named(context.id('dead'), 'other')])).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expectCounts(context, engine, { dead: 1, done: 1, waiting: 1 });
    },
  },
  {
    promise: 'a redriven dead letter has the data it was edited to, and all else as it was',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.envelope.data['good'] ? done() : dead(delivery),
      );
      const sent = context.named(context.id('edited'), 'same', {
        data: { good: false, when: '2026-01-01' },
        types: { values: { when: ['Date'] } },
        priority: 7,
        headers: { a: 'b' },
        tenant: 't',
        replyTo: 'somebody',
      });
      await engine.send([sent]);
      await reaches(context, engine, context.id('edited'), 'dead');
      const typed = { data: { good: false, n: '1' }, types: { values: { n: ['bigint'] } } };
      expect(await engine.redrive(context.id('edited'), [actor], typed)).toBe(true);
      await eventually(
        async () => (await engine.find(context.id('edited'), [actor]))?.redrives === 1,
      );
      await reaches(context, engine, context.id('edited'), 'dead');
      expect(deliveries[1]?.envelope).toEqual({ ...sent, ...typed });
      const plain = { data: { good: true } };
      expect(await engine.redrive(context.id('edited'), [actor], plain)).toBe(true);
      const record = await reaches(context, engine, context.id('edited'), 'done');

      const { types: _, ...rest } = sent;
      expect(deliveries[2]?.envelope).toEqual({ ...rest, ...plain });
      expect(deliveries[2]).toMatchObject({ attempt: 1, isFirst: false });
      expect(record.envelope).toEqual({ ...rest, ...plain });
      expect(record).toMatchObject({ redrives: 2, history: [{ attempt: 1 }, { attempt: 1 }] });
      expect(await engine.redrive(context.id('edited'), [actor], plain)).toBe(false);
      expect(await engine.redrive(context.id('unknown'), [actor], plain)).toBe(false);
      // It is still the message that was sent under this id.
      await engine.send([sent]);
      await expectCounts(context, engine, { done: 1 });
    },
  },
  {
    promise:
      'a dead letter is rewritten in its place, and only if it still is the one that was read',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      let step = 0;
      const { consumer, deliveries } = await context.consume(engine, (delivery) =>
        delivery.envelope.data['good']
          ? done()
          : step++ % 2 === 0
            ? retry(0)(delivery)
            : dead(delivery),
      );
      const types = { values: { n: ['bigint'] } };
      const of = (name: string) =>
        context.named(context.id(name), 'same', {
          key: 'k',
          data: { n: name },
          priority: 7,
          types,
        });
      const names = ['first', 'second', 'gone'];
      await engine.send(names.map(of));
      await eventually(async () => (await engine.counts(actor)).dead === 3);
      // Equal times come in the order of storage ids.
      const letters = await engine.deadLetters([actor], { limit: 9 });
      const [first, second, gone] = names.map((name) =>
        letters.find(({ envelope }) => envelope.id === context.id(name)),
      );
      const rewritten = (letter: MessageRecord): MessageRecord => {
        const { types: _, ...envelope } = letter.envelope;
        const history = letter.history.map(({ error: { stack: _, ...error }, ...attempt }) => ({
          ...attempt,
          error: { ...error, message: `rewritten ${error.message}` },
        }));
        return { ...letter, envelope: { ...envelope, data: { good: true } }, history };
      };
      expect(first?.history).toHaveLength(2);
      expect(await engine.rewrite(rewritten(first!))).toBe(true);
      const now = letters.map((letter) => (letter === first ? rewritten(letter) : letter));
      expect(await engine.deadLetters([actor], { limit: 9 })).toEqual(now);
      expect(await engine.discard(context.id('gone'), [actor])).toBe(true);
      expect(await engine.rewrite(rewritten(gone!))).toBe(false);
      expect(await engine.find(context.id('gone'), [actor])).toBeUndefined();
      // It dies again, and is another letter.
      expect(await engine.redrive(context.id('second'), [actor])).toBe(true);
      expect(await engine.rewrite(rewritten(second!))).toBe(false);
      await eventually(
        async () => (await engine.find(context.id('second'), [actor]))?.history.length === 4,
      );
      const again = await reaches(context, engine, context.id('second'), 'dead');
      expect(await engine.rewrite(rewritten(second!))).toBe(false);
      expect(await engine.find(context.id('second'), [actor])).toEqual(again);
      // As it was rewritten it is redriven.
      expect(await engine.redrive(context.id('first'), [actor])).toBe(true);
      await reaches(context, engine, context.id('first'), 'done');
      const { types: _, ...rest } = of('first');
      const { sentAt } = first!.envelope;
      expect(deliveries.at(-1)).toMatchObject({
        isFirst: false,
        history: rewritten(first!).history,
      });
      expect(deliveries.at(-1)?.envelope).toEqual({ ...rest, sentAt, data: { good: true } });
      await consumer.stop(0);
      await expectCounts(context, engine, { done: 1, dead: 1 });
    },
  },
  {
    promise: 'no more dead letters are kept than asked for, the newest',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDead: { count: 3 } });
      const { actor } = context;
      const { deliveries } = await context.consume(engine, dead);
      const sent = Array.from({ length: 7 }, () => context.envelope());
      await engine.send(sent);
      await eventually(() => deliveries.length === sent.length);
      await eventually(async () => (await engine.counts(actor)).dead === 3, { timeout: 20_000 });
      const kept = await engine.deadLetters([actor], { limit: 10 });
      expect(ids(kept)).toEqual(ids(sent).slice(-3).reverse());
      expect(await engine.find(sent[0]?.id ?? '', [actor])).toBeUndefined();
      await expectCounts(context, engine, { dead: 3 });
    },
  },
  {
    promise: 'dead letters are not kept longer than asked for',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDead: { age: '1s' } });
      const { actor } = context;
      const { deliveries } = await context.consume(engine, dead);
      const sent = [context.envelope(), context.envelope()];
      await engine.send(sent);
      await eventually(() => deliveries.length === sent.length);
      await eventually(async () => (await engine.counts(actor)).dead === 0, { timeout: 20_000 });
      await expectCounts(context, engine, {});
      await expectAbsent(engine, actor, sent);
    },
  },
];
