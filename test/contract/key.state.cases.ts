import { expect } from 'vitest';
import type { Delivery, Outcome, StoredState } from '../../libs/messaging/src/engine.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, doneWith, release, retry } from './context.js';
import { deliveriesOf, expectAbsent, field, ids, reaches } from './expect.js';
import { gate } from './gate.js';

export const keyStateCases: Case[] = [
  {
    promise: 'a turn gets the state that the last turn of its key left, with the number of commits',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const first = {
        data: { at: '2026-01-01' },
        types: { values: { at: ['Date'] } },
        secret: ['pin', 'card.number'],
      };
      const { deliveries } = await context.consume(engine, ({ envelope: { data }, state }) => {
        const revision = state?.revision ?? 0;
        if (data['n'] === 0) return doneWith({ state: { ...first, revision, version: 1 } });
        if (data['n'] === 2) return doneWith({ state: { data: 'second', revision, version: 2 } });
        return done();
      });
      expect(await engine.state(actor, 'k')).toBeUndefined();
      const sent = [0, 1, 2, 3].map((n) => context.envelope({ key: 'k', data: { n } }));
      const elsewhere = context.envelope({ key: 'l', data: { n: 1 } });
      await engine.send([...sent, elsewhere]);
      await eventually(async () => (await engine.counts(actor)).done === 5);
      const afterFirst = { ...first, revision: 1, version: 1 };
      const afterSecond = { data: 'second', revision: 2, version: 2 };
      expect(sent.map((each) => deliveriesOf(deliveries, each)[0]?.state)).toEqual([
        undefined,
        afterFirst,
        afterFirst,
        afterSecond,
      ]);
      expect(await engine.state(actor, 'k')).toEqual(afterSecond);
      expect(await engine.state(actor, 'l')).toBeUndefined();
      expect(await engine.state(other, 'k')).toBeUndefined();
      expect(deliveriesOf(deliveries, elsewhere)[0]?.state).toBeUndefined();
    },
  },
  {
    promise: 'a turn that does not succeed leaves the state as it was',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await engine.send([context.named(context.id('taken'), 'one body', { actor: context.other })]);
      const conflict = context.named(context.id('taken'), 'another body', { actor: context.other });
      const { deliveries } = await context.consume(engine, (delivery) => {
        const { envelope, state } = delivery;
        const n = Number(envelope.data['n']);
        const next = { data: { n }, revision: state?.revision ?? 0, version: 1 };
        // What a turn wrote into what it was given is its own.
        Object.assign((state?.data as object | undefined) ?? {}, { n: 'spoilt' });
        if (n === 0) return doneWith({ state: next });
        if (!delivery.isFirst) return done();
        const bad = { sends: [conflict], state: next };
        return [retry(5), release(), dead, () => doneWith(bad, done)][n - 1]!(delivery);
      });
      const sent = [0, 1, 2, 3, 4].map((n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await reaches(context, engine, sent[4]!.id, 'done');
      const committed: StoredState = { data: { n: 0 }, revision: 1, version: 1 };
      expect(await engine.state(actor, 'k')).toEqual(committed);
      const read = await engine.state(actor, 'k');
      Object.assign(read?.data as object, { n: 'spoilt' });
      expect(await engine.state(actor, 'k')).toEqual(committed);
      expect(deliveries.slice(1).map(({ state }) => state?.revision)).toEqual([1, 1, 1, 1, 1, 1]);
    },
  },
  {
    promise: 'a turn on a revision that is no longer the last commits nothing',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const lost = context.envelope({ actor: other });
      let stale = true;
      const { deliveries } = await context.consume(engine, (delivery): Outcome => {
        const { envelope, state } = delivery;
        const n = Number(envelope.data['n']);
        const revision = state?.revision ?? 0;
        const good = doneWith({ state: { data: { n }, revision, version: 1 } });
        if (n === 0 || !stale) return good;
        stale = false;
        const old = { data: 'stale', revision: revision - 1, version: 1 };
        return doneWith({ sends: [lost], state: old, reply: { data: 'stale' } }, () =>
          retry(1)(delivery),
        );
      });
      const sent = [0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await reaches(context, engine, sent[2]!.id, 'done');
      expect(await engine.state(actor, 'k')).toEqual({ data: { n: 2 }, revision: 3, version: 1 });
      expect(field(deliveries, 'n')).toEqual([0, 1, 1, 2]);
      expect((await engine.find(sent[1]!.id, [actor]))?.reply).toBeUndefined();
      await expectAbsent(engine, other, [lost]);
    },
  },
  {
    promise: 'the state of a key outlives its messages and its consumers',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDone: { count: 1 } });
      const { actor } = context;
      const count = ({ state }: Delivery): Outcome => {
        const { data = 0, revision = 0 } = state ?? {};
        return doneWith({ state: { data: Number(data) + 1, revision, version: 1 } });
      };
      const { consumer } = await context.consume(engine, count);
      const first = context.envelope({ key: 'k' });
      await engine.send([first]);
      await reaches(context, engine, first.id, 'done');
      await engine.send([context.envelope()]);
      await eventually(async () => (await engine.find(first.id, [actor])) === undefined);
      await consumer.stop(0);
      expect(await engine.state(actor, 'k')).toMatchObject({ data: 1, revision: 1 });
      await context.consume(engine, count);
      const second = context.envelope({ key: 'k' });
      await engine.send([second]);
      await reaches(context, engine, second.id, 'done');
      expect(await engine.state(actor, 'k')).toMatchObject({ data: 2, revision: 2 });
    },
  },
  {
    promise: 'a read does not wait for its key, takes no room in it, and sees what is committed',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const [writing, reading] = [gate(), gate()];
      const read = `${actor}.read` as const;
      const { deliveries } = await context.consume(
        engine,
        async ({ envelope: { type, data }, state }) => {
          if (type === read) {
            if (data['slow']) await reading.opened;
            return doneWith({ reply: { data: state?.data ?? null } });
          }
          if (data['n'] === 1) await writing.opened;
          const revision = state?.revision ?? 0;
          return doneWith({ state: { data: { n: data['n']! }, revision, version: 1 } });
        },
        { concurrency: 6, reads: new Set([read]), mailbox: 1 },
      );
      const readsOf = (data: Record<string, boolean> = {}) =>
        context.envelope({ type: read, key: 'k', data });
      const write = (n: number) => context.envelope({ key: 'k', data: { n } });
      const answer = async (id: string) => (await reaches(context, engine, id, 'done')).reply?.data;

      const early = readsOf();
      await engine.send([early]);
      expect(await answer(early.id)).toBeNull();
      const zero = write(0);
      await engine.send([zero]);
      await reaches(context, engine, zero.id, 'done');
      const [one, two] = [write(1), write(2)];
      await engine.send([one]);
      await eventually(() => ids(deliveries).includes(one.id));
      await engine.send([two]);
      const meanwhile = [readsOf(), readsOf()];
      await expect(engine.send(meanwhile)).resolves.toBeUndefined();
      for (const { id } of meanwhile) expect(await answer(id)).toEqual({ n: 0 });
      expect(ids(deliveries)).not.toContain(two.id);

      const slow = readsOf({ slow: true });
      await engine.send([slow]);
      await eventually(() => ids(deliveries).includes(slow.id));
      writing.open();
      await reaches(context, engine, two.id, 'done');
      const after = readsOf();
      await engine.send([after]);
      expect(await answer(after.id)).toEqual({ n: 2 });
      reading.open();
      expect(await answer(slow.id)).toEqual({ n: 0 });
      expect(await engine.state(actor, 'k')).toMatchObject({ data: { n: 2 }, revision: 3 });
    },
  },
  {
    promise: 'no update of a state is lost, however turns fail and wherever they run',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const [keys, each] = [8, 25];
      const turn = async (delivery: Delivery): Promise<Outcome> => {
        const { envelope, state, attempt } = delivery;
        await new Promise((resolve) => setTimeout(resolve, Number(envelope.data['n']) % 3));
        const { data = 0, revision = 0 } = state ?? {};
        if (attempt === 1 && Number(envelope.data['n']) % 5 === 0) return retry(3)(delivery);
        return doneWith({
          sends: [context.envelope({ actor: other, data: { of: envelope.id } })],
          state: { data: Number(data) + 1, revision, version: 1 },
        });
      };
      for (const concurrency of [6, 3]) await context.consume(engine, turn, { concurrency });
      for (let n = 0; n < each; n++) {
        await engine.send(
          Array.from({ length: keys }, (_, k) => context.envelope({ key: `${k}`, data: { n } })),
        );
      }
      await eventually(async () => (await engine.counts(actor)).done === keys * each, {
        timeout: 20_000,
      });
      for (let k = 0; k < keys; k++)
        expect(await engine.state(actor, `${k}`)).toMatchObject({ data: each, revision: each });
      expect(await engine.counts(other)).toMatchObject({ waiting: keys * each });
    },
  },
  {
    promise: 'a turn of a key arms its own timer again, with its state',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine, ({ state }) => {
        const n = Number(state?.data ?? 0) + 1;
        const next = context.named(context.id('tick'), `${n}`, {
          key: 'k',
          replace: true,
          dueAt: Date.now() + (n < 4 ? 10 : 60_000),
        });
        return doneWith({
          sends: [next],
          state: { data: n, revision: state?.revision ?? 0, version: 1 },
        });
      });
      await engine.send([context.named(context.id('tick'), '0', { key: 'k' })]);
      await eventually(async () => (await engine.state(actor, 'k'))?.revision === 4);
      await reaches(context, engine, context.id('tick'), 'delayed');
      expect(deliveries).toHaveLength(4);
      const other = context.envelope({ key: 'k' });
      await engine.send([other]);
      await eventually(() => deliveries.length === 5);
    },
  },
  {
    promise: 'what waits takes its turn in its mailbox when its type no longer only reads',
    async run(context) {
      const engine = await context.engine();
      const read = `${context.actor}.read` as const;
      const before = await context.consume(engine, done, { reads: new Set([read]) });
      await before.consumer.stop(0);
      const types = [read, read, `${context.actor}.write` as const, read];
      const sent = types.map((type) => context.envelope({ type, key: 'k' }));
      await engine.send(sent);
      let [running, most] = [0, 0];
      const { deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          return done();
        },
        { concurrency: 4, reads: new Set() },
      );
      await eventually(async () => (await engine.counts(context.actor)).done === sent.length);
      expect(most).toBe(1);
      expect(ids(deliveries)).toEqual(ids([sent[2]!, sent[0]!, sent[1]!, sent[3]!]));
    },
  },
];
