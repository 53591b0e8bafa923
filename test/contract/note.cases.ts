import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';

const HOUR = 3_600_000;

export const noteCases: Case[] = [
  {
    promise: 'what is noted under a name stays as it is, whoever notes something else there',
    async run(context) {
      const engine = await context.engine();
      const [name, other] = [context.id('note'), context.id('other')];
      const value = { b: [1, 'é\n', null, { c: true }], a: 0.5 };
      expect(await engine.noted(name)).toBeUndefined();
      expect(await engine.note(name, value, HOUR)).toEqual(value);
      expect(await engine.note(name, 'another', HOUR)).toEqual(value);
      expect(await engine.noted(name)).toEqual(value);
      expect(await engine.noted(other)).toBeUndefined();
      expect(await engine.note(other, 'x', HOUR)).toBe('x');
      value.a = 7;
      expect(await engine.noted(name)).toMatchObject({ a: 0.5 });
    },
  },
  {
    promise: 'of many who note something under one name at once, one does, and all learn what',
    async run(context) {
      const engine = await context.engine();
      const name = context.id('note');
      const noting = Array.from({ length: 20 }, (_, n) => engine.note(name, n, HOUR));
      const answers = await Promise.all(noting);
      expect(new Set(answers).size).toBe(1);
      expect(await engine.noted(name)).toBe(answers[0]);
    },
  },
  {
    promise: 'what is noted is forgotten after its time, and can be noted anew',
    async run(context) {
      const engine = await context.engine();
      const name = context.id('note');
      await engine.note(name, 'old', 300);
      await eventually(async () => (await engine.noted(name)) === undefined);
      expect(await engine.note(name, 'new', HOUR)).toBe('new');
      expect(await engine.noted(name)).toBe('new');
    },
  },
];
