import type { Queue } from 'bullmq';
import { expect } from 'vitest';
import type { Engine, MessageRecord, SearchPlace } from '../../libs/messaging/src/engine.js';
import { IdempotencyConflictError } from '../../libs/messaging/src/messaging.errors.js';
import { tenantTerm, termOf } from '../../libs/messaging/src/search.term.js';
import type { Case } from './case.js';
import { dead, done, doneWith, type Context } from './context.js';
import { ids, reaches } from './expect.js';

/** Of one order, so that those of several cases are told apart. */
const order = (context: Context, n: number): string => termOf('orderId', `${context.actor} ${n}`);

export const searchCases: Case[] = [
  {
    promise: 'messages are found by their terms in whatever state, sent last first, page by page',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const [mine, tenant] = [order(context, 1), tenantTerm(`${actor} acme`)];
      const now = Date.now();
      const sent = Array.from({ length: 9 }, (_, n) =>
        context.envelope({
          sentAt: now + (n >> 1),
          terms: n === 4 ? [tenant] : n % 4 === 0 ? [mine, tenant] : [mine],
          ...(n === 3 && { dueAt: now + 3_600_000 }),
          ...(n > 5 && { key: 'k' }),
          data: { what: n === 5 ? 'dead' : 'done' },
        }),
      );
      const apart = [
        context.envelope({ terms: [order(context, 2)] }),
        context.envelope(),
        context.envelope({ actor: other, type: `${other}.do`, terms: [mine] }),
      ];
      for (const each of [...sent, ...apart]) await engine.send([each]);
      expect(ids(await found(engine, actor, mine, 100))).toEqual(expected(sent, mine));

      await context.consume(engine, (delivery) =>
        delivery.envelope.data['what'] === 'dead' ? dead(delivery) : done(),
      );
      await reaches(context, engine, sent[8]!.id, 'done');
      await reaches(context, engine, sent[5]!.id, 'dead');
      for (const limit of [1, 2, 3, 8]) {
        const items = await found(engine, actor, mine, limit);
        expect(ids(items)).toEqual(expected(sent, mine));
        expect(items.map(({ state }) => state)).toEqual(
          items.map(({ envelope }) =>
            envelope.id === sent[3]!.id ? 'delayed' : envelope.id === sent[5]!.id ? 'dead' : 'done',
          ),
        );
      }
      expect(ids(await found(engine, actor, tenant, 5))).toEqual(expected(sent, tenant));
      const [first] = await found(engine, actor, mine, 1);
      expect(first).toEqual(await engine.find(first!.envelope.id, [actor]));
      expect(await found(engine, other, mine, 5)).toHaveLength(1);
      // Of several actors as of one.
      const both = expected([...sent, ...apart.slice(2)], mine);
      for (const limit of [1, 3, 50]) {
        expect(ids(await found(engine, [actor, other], mine, limit))).toEqual(both);
      }
      expect(await found(engine, actor, order(context, 3), 5)).toEqual([]);
    },
  },
  {
    promise: 'what a turn sends is found by its terms, and what a refused send had is not',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const [term, never] = [order(context, 1), order(context, 2)];
      const effect = context.envelope({ actor: other, type: `${other}.do`, terms: [term] });
      await context.consume(engine, () => doneWith({ sends: [effect] }));
      const cause = context.named(context.id('cause'), 'one');
      await engine.send([cause]);
      await reaches(context, engine, cause.id, 'done');
      expect(ids(await found(engine, other, term, 5))).toEqual([effect.id]);
      const refused = [
        context.envelope({ terms: [never] }),
        context.named(cause.id, 'another', { terms: [never] }),
      ];
      await expect(engine.send(refused)).rejects.toThrow(IdempotencyConflictError);
      expect(await found(engine, actor, never, 5)).toEqual([]);
    },
  },
  {
    promise: 'what is replaced, edited or discarded is found by what it has now',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const [before, after] = [order(context, 1), order(context, 2)];
      const dueAt = Date.now() + 3_600_000;
      const id = context.id('timer');
      await engine.send([context.named(id, 'one', { terms: [before], dueAt })]);
      await engine.send([context.named(id, 'two', { terms: [after], dueAt, replace: true })]);
      expect(await found(engine, actor, before, 5)).toEqual([]);
      expect(ids(await found(engine, actor, after, 5))).toEqual([id]);
      for (const later of [1, 2, 3]) {
        const moved = { terms: [after], dueAt, replace: true, sentAt: Date.now() + later } as const;
        await engine.send([context.named(id, `moved ${later}`, moved)]);
      }
      expect(ids(await found(engine, actor, after, 1))).toEqual([id]);

      const letters = [1, 2, 3].map(() => context.envelope({ terms: [before] }));
      const { consumer } = await context.consume(engine, dead);
      await engine.send(letters);
      for (const letter of letters) await reaches(context, engine, letter.id, 'dead');
      await consumer.stop(0);
      const [edited, discarded, kept] = ids(letters);
      expect(await engine.redrive(edited!, [actor], { data: {}, terms: [after] })).toBe(true);
      expect(await engine.discard(discarded!, [actor])).toBe(true);
      expect(ids(await found(engine, actor, before, 5))).toEqual([kept]);
      expect(new Set(ids(await found(engine, actor, after, 5)))).toEqual(new Set([edited, id]));
      const letter = (await engine.find(kept!, [actor]))!;
      const envelope = { ...letter.envelope, terms: [after] };
      expect(await engine.rewrite({ ...letter, envelope })).toBe(true);
      expect(await found(engine, actor, before, 5)).toEqual([]);
      expect(await found(engine, actor, after, 5)).toHaveLength(3);
    },
  },
  {
    promise: 'what can be searched outlives what operators do to queues',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const queue = engine.queue!(actor) as Queue;
      const term = order(context, 1);
      await engine.send([1, 2, 3].map(() => context.envelope({ terms: [term] })));
      await queue.removeOrphanedJobs();
      expect(await found(engine, actor, term, 5)).toHaveLength(3);
      await queue.drain();
      expect(await found(engine, actor, term, 5)).toEqual([]);
      const later = context.envelope({ terms: [term] });
      await engine.send([later]);
      expect(ids(await found(engine, actor, term, 1))).toEqual([later.id]);
      await queue.obliterate({ force: true });
      expect(await found(engine, actor, term, 5)).toEqual([]);
    },
  },
  {
    promise: 'a message remembers what its turn sent, the first twenty, and how many',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const sends = (count: number) =>
        Array.from({ length: count }, () =>
          context.envelope({ actor: other, type: `${other}.do`, causationId: 'x' }),
        );
      const of: Record<string, ReturnType<typeof sends>> = {
        none: [],
        some: sends(3),
        many: sends(21),
      };
      await context.consume(engine, ({ envelope: { data } }) => {
        const what = data['what'] as string;
        return doneWith({
          sends: of[what]!,
          ...(what === 'some' && { reply: { data: { right: true } } }),
        });
      });
      const sent = Object.keys(of).map((what) => context.envelope({ data: { what } }));
      await engine.send(sent);
      const [none, some, many] = await Promise.all(
        sent.map(({ id }) => reaches(context, engine, id, 'done')),
      );
      const refs = (name: string) => of[name]!.map(({ id }) => ({ id, actor: other }));
      expect(none).not.toHaveProperty('sent');
      expect(some).toMatchObject({
        sent: { count: 3, first: refs('some') },
        reply: { data: { right: true } },
      });
      expect(many?.sent).toEqual({ count: 21, first: refs('many').slice(0, 20) });
      expect(many).not.toHaveProperty('reply');
      expect(await engine.counts(actor)).toMatchObject({ done: 3 });
    },
  },
];

/** All that is found, in pages. */
async function found(
  engine: Engine,
  actor: string | readonly string[],
  term: string,
  limit: number,
): Promise<MessageRecord[]> {
  const items: MessageRecord[] = [];
  let after: SearchPlace | undefined;
  for (let page = 0; page < 50; page++) {
    const result = await engine.search([actor].flat(), term, { limit, ...(after && { after }) });
    expect(result.items.length).toBeLessThanOrEqual(limit);
    items.push(...result.items);
    if (!result.next) return items;
    after = result.next;
  }
  throw new Error('it does not end');
}

/** Ids of those with the term, sent last first. */
function expected(
  sent: readonly { id: string; sentAt: number; terms?: readonly string[] }[],
  term: string,
): string[] {
  return sent
    .filter(({ terms }) => terms?.includes(term))
    .sort((a, b) => b.sentAt - a.sentAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}
