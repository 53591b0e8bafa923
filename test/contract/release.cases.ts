import { expect, vi } from 'vitest';
import type { Case } from './case.js';

export const releaseCases: Case[] = [
  {
    promise: 'releases that have been there are known, each with its last time',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const before = await engine.releases(actor);
      expect(before.releases).toEqual([]);
      for (const release of ['one', 'two', 'one']) await engine.present(actor, release);
      await engine.present(other, 'theirs');
      const { now, releases } = await engine.releases(actor);
      expect(releases.map(({ id }) => id).sort()).toEqual(['one', 'two']);
      const [one = NaN, two = NaN] = ['one', 'two'].map(
        (id) => releases.find((each) => each.id === id)?.seenAt,
      );
      const times = [before.now, two, one, now];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    },
  },
  {
    promise:
      'when a release was there is told by the clock of the store, whatever that of a process',
    needs: 'shared',
    async run(context) {
      const engine = await context.engine();
      const before = Date.now();
      // An hour behind, for this process.
      vi.setSystemTime(before - 3_600_000);
      try {
        await engine.present(context.actor, 'one');
        const { now, releases } = await engine.releases(context.actor);
        for (const at of [now, releases[0]?.seenAt]) expect(at).toBeGreaterThan(before - 60_000);
      } finally {
        vi.useRealTimers();
      }
    },
  },
  {
    promise: 'the fifty releases of an actor that were there last are remembered',
    async run(context) {
      const engine = await context.engine();
      await engine.present(context.other, 'r1');
      for (let n = 1; n <= 60; n++) {
        await engine.present(context.actor, `r${n}`);
        await engine.present(context.actor, 'again');
      }
      const ids = (await engine.releases(context.actor)).releases.map(({ id }) => id);
      expect(ids).toHaveLength(50);
      expect(ids).toEqual(expect.arrayContaining(['again', 'r60']));
      expect((await engine.releases(context.other)).releases).toMatchObject([{ id: 'r1' }]);
    },
  },
  {
    promise: 'who is there does not change the version of what is bound',
    async run(context) {
      const engine = await context.engine();
      await engine.bind(context.actor, ['x']);
      const { version } = (await engine.bindings())!;
      await engine.present(context.actor, 'one');
      expect(await engine.bindings(version)).toBeUndefined();
    },
  },
  {
    promise: 'every process knows which releases have been there',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const { actor } = context;
      await Promise.all([
        one.present(actor, 'r'),
        two.present(actor, 'r'),
        two.present(actor, 's'),
      ]);
      for (const engine of [one, two]) {
        const { releases } = await engine.releases(actor);
        expect(releases.map(({ id }) => id).sort()).toEqual(['r', 's']);
      }
    },
  },
];
