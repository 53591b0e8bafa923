import { expect } from 'vitest';
import type {
  Engine,
  MessagePlace,
  MessageRecord,
  MessageState,
} from '../../libs/messaging/src/engine.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, dead, done, retry, type Context } from './context.js';
import { ids } from './expect.js';

export const listingCases: Case[] = [
  {
    promise: 'what waits is listed as it is served, what is delayed as it is due, page by page',
    async run(context) {
      const engine = await context.engine();
      const { other } = context;
      const now = Date.now();
      const waiting = [100, 100, 1, 2_097_152, 10].map((priority) =>
        context.envelope({ priority }),
      );
      const delayed = [3, 1, 2].map((hours) =>
        context.envelope({ dueAt: now + hours * 3_600_000 }),
      );
      const [head, second, third] = [1, 2, 3].map(() => context.envelope({ key: 'k' }));
      for (const each of [...waiting, ...delayed, head!, second!, third!])
        await engine.send([each]);
      await engine.send([context.envelope({ actor: other, type: `${other}.do` })]);

      const served = [2, 4, 0, 1].map((n) => waiting[n]!);
      expect(await list(context, engine, 'waiting')).toEqual(
        [...served, head!, waiting[3]!].map(asStored('waiting')),
      );
      expect(await list(context, engine, 'delayed')).toEqual(
        [1, 2, 0].map((n) => delayed[n]!).map(asStored('delayed')),
      );
      expect(await list(context, engine, 'parked')).toEqual(
        [second!, third!].map(asStored('parked')),
      );
      for (const state of ['active', 'done', 'dead', 'cancelled'] as const)
        expect(await list(context, engine, state)).toEqual([]);

      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 8);
      expect(ids(deliveries.slice(0, 4))).toEqual(ids(served));
      expect(await list(context, engine, 'waiting')).toEqual([]);
      expect(await engine.list(other, { state: 'parked', limit: 5 })).toEqual({ items: [] });
    },
  },
  {
    promise: 'what is in work and what ended is listed by its state, the newest end first',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      let finish = (): void => undefined;
      const held = new Promise<void>((resolve) => (finish = resolve));
      const sent = ['done', 'dead', 'quit', 'retried', 'done', 'dead', 'held'].map((what) =>
        context.envelope({ data: { what } }),
      );
      const { consumer } = await context.consume(engine, async (delivery) => {
        const { what } = delivery.envelope.data;
        if (what === 'dead') return dead(delivery);
        if (what === 'quit') return cancelled();
        if (what === 'retried') return retry(3_600_000)(delivery);
        if (what === 'held') await held;
        return done();
      });
      for (const each of sent) {
        await engine.send([each]);
        // Ends of one millisecond have no order that anybody knows.
        await eventually(
          async () => !['waiting', undefined].includes(await stateOf(engine, each.id, actor)),
        );
        await eventually(
          async () => each.data['what'] === 'held' || (await engine.counts(actor)).active === 0,
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const of = async (state: MessageState) => ids(await list(context, engine, state));
      const id = (n: number) => sent[n]!.id;
      expect(await of('done')).toEqual([id(4), id(0)]);
      expect(await of('dead')).toEqual([id(5), id(1)]);
      expect(await of('cancelled')).toEqual([id(2)]);
      expect(await of('active')).toEqual([id(6)]);
      expect(await of('delayed')).toEqual([id(3)]);
      const [letter] = await list(context, engine, 'dead');
      expect(letter).toEqual(await engine.find(id(5), [actor]));
      const [working] = await list(context, engine, 'active');
      expect(working).toMatchObject({ state: 'active', startedAt: expect.any(Number) });
      finish();
      await eventually(async () => (await of('done')).includes(id(6)));
      await consumer.stop(0);
      await engine.redrive(id(1), [actor]);
      expect([await of('dead'), await of('waiting')]).toEqual([[id(5)], [id(1)]]);
    },
  },
  {
    promise: 'what stays where it is is listed once, whatever comes and goes between two pages',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const sent = Array.from({ length: 12 }, () => context.envelope());
      await engine.send(sent);
      const first = await engine.list(actor, { state: 'waiting', limit: 4 });
      expect(ids(first.items.map(({ record }) => record))).toEqual(ids(sent.slice(0, 4)));
      // Of those listed, and of those not listed yet; and some that come before and behind the place.
      for (const n of [0, 1, 3, 6]) await engine.cancel(sent[n]!.id, [actor]);
      const urgent = context.envelope({ priority: 1 });
      const last = context.envelope();
      await engine.send([urgent, last]);
      const rest = await list(context, engine, 'waiting', { after: first.next, limit: 3 });
      const stayed = [4, 5, 7, 8, 9, 10, 11].map((n) => sent[n]!.id);
      expect(ids(rest)).toEqual([...stayed, last.id]);
      const gone = await list(context, engine, 'cancelled', { limit: 3 });
      expect(ids(gone).sort()).toEqual([0, 1, 3, 6].map((n) => sent[n]!.id).sort());
    },
  },
  {
    promise: 'messages of one moment are listed once each, page by page',
    async run(context) {
      const engine = await context.engine();
      const dueAt = Date.now() + 3_600_000;
      const sent = Array.from({ length: 10 }, () => context.envelope({ dueAt }));
      await engine.send(sent);
      const listed = ids(await list(context, engine, 'delayed', { limit: 3 }));
      expect(listed.toSorted()).toEqual(ids(sent).toSorted());
    },
  },
];

const asStored = (state: MessageState) => (envelope: object) => ({
  storageId: expect.any(String) as string,
  envelope,
  state,
  history: [],
  redrives: 0,
});

async function stateOf(engine: Engine, id: string, actor: string) {
  return (await engine.find(id, [actor]))?.state;
}

/** All of a state, in pages; there must not be more of these than there can be. */
async function list(
  { actor }: Context,
  engine: Engine,
  state: MessageState,
  { after, limit = 2 }: { after?: MessagePlace; limit?: number } = {},
): Promise<MessageRecord[]> {
  const found: MessageRecord[] = [];
  let place = after;
  for (let page = 1; page <= 20; page++) {
    const { items, next } = await engine.list(actor, {
      state,
      limit,
      ...(place && { after: place }),
    });
    expect(items.length).toBeLessThanOrEqual(limit);
    found.push(...items.map(({ record }) => record));
    if (!next) return found;
    expect(next).not.toEqual(place);
    place = next;
  }
  throw new Error(`the list of what is ${state} has no end`);
}
