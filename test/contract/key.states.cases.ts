import { expect } from 'vitest';
import type { Delivery, Engine, KeyState, Outcome } from '../../libs/messaging/src/engine.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { doneWith, type Context } from './context.js';

/** Stores the message's data as the state of its key, or removes that. */
const turn = ({ envelope: { data }, state }: Delivery): Outcome => {
  const revision = state?.revision ?? 0;
  if (data['forget']) return doneWith({ forget: { revision } });
  return doneWith({ state: { data, revision, version: 1 } });
};

async function store(
  context: Context,
  engine: Engine,
  keys: readonly string[],
  data: Record<string, string | boolean> = {},
): Promise<void> {
  const before = (await engine.counts(context.actor)).done;
  await engine.send(keys.map((key) => context.envelope({ key, data })));
  const wanted = before + keys.length;
  await eventually(async () => (await engine.counts(context.actor)).done === wanted, {
    timeout: 20_000,
  });
}

async function pages(engine: Engine, actor: string, limit: number): Promise<KeyState[][]> {
  const found: KeyState[][] = [];
  for (;;) {
    const after = found.at(-1)?.at(-1)?.key;
    const page = await engine.states(actor, { limit, ...(after !== undefined && { after }) });
    found.push(page);
    if (page.length < limit) return found;
  }
}

const keysOf = (states: readonly KeyState[]) => states.map(({ key }) => key);

export const keyStatesCases: Case[] = [
  {
    promise: 'states of an actor are listed in the order of the bytes of their keys',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      expect(await engine.states(actor, { limit: 10 })).toEqual([]);
      await context.consume(engine, turn, { concurrency: 5 });
      // In the order of their bytes; as UTF-16 the last two would change places.
      const sorted = ['(', '+', '-', '10', '9', ':a', 'A', '[', 'a', 'a b', 'a:b', 'ab', 'b', 'é'];
      sorted.push('\uFFFD', '\u{1F600}');
      await store(context, engine, [...sorted].sort(), { x: 'y' });
      await store(context, engine, ['a']);
      const all = await engine.states(actor, { limit: 100 });
      expect(keysOf(all)).toEqual(sorted);
      expect(all[0]).toEqual({ key: '(', state: { data: { x: 'y' }, revision: 1, version: 1 } });
      expect(all[8]).toEqual({ key: 'a', state: { data: {}, revision: 2, version: 1 } });
      for (const limit of [1, 3, 4, 16]) {
        const found = await pages(engine, actor, limit);
        expect(keysOf(found.flat())).toEqual(sorted);
        expect(found.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      }
      // A place may be where no key is.
      expect(keysOf(await engine.states(actor, { after: 'a9', limit: 2 }))).toEqual(['a:b', 'ab']);
      expect(await engine.states(actor, { after: '\u{1F600}', limit: 2 })).toEqual([]);
      expect(await engine.states(other, { limit: 10 })).toEqual([]);
    },
  },
  {
    promise: 'a forgotten key is not among the states, and is again when it has one',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await context.consume(engine, turn);
      await store(context, engine, ['a', 'b', 'c']);
      await store(context, engine, ['b', 'b', 'x'], { forget: true });
      expect(keysOf(await engine.states(actor, { limit: 10 }))).toEqual(['a', 'c']);
      await store(context, engine, ['b']);
      expect(keysOf(await engine.states(actor, { limit: 10 }))).toEqual(['a', 'b', 'c']);
    },
  },
  {
    promise: 'a page of states is full while there are more, however many and large they are',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await context.consume(engine, turn, { concurrency: 20 });
      const keys = Array.from({ length: 100 }, (_, n) => `k${String(n).padStart(2, '0')}`);
      await store(context, engine, keys);
      const large = keys.slice(0, 5);
      await store(context, engine, large, { text: 'x'.repeat(250_000) });
      for (const limit of [30, 50, 100]) {
        const found = await pages(engine, actor, limit);
        expect(keysOf(found.flat())).toEqual(keys);
        expect(found).toHaveLength(Math.floor(100 / limit) + 1);
      }
    },
  },
];
