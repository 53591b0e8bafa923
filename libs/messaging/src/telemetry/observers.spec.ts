import { expect, it } from 'vitest';
import type { Delivery, Outcome } from '../engine.js';
import type { Observer } from '../observer.js';
import { unobserved } from '../observer.js';
import { observersOf } from './observers.js';

const DELIVERY = {} as Delivery;

function noting(name: string, notes: string[]): Observer {
  return {
    ...unobserved,
    async send(envelopes, run, by) {
      notes.push(`${name} send ${envelopes.length}${by ? ' in a turn' : ''}`);
      const result = await run();
      notes.push(`${name} sent`);
      return result;
    },
    async turn(delivery, run) {
      notes.push(`${name} turn ${delivery === DELIVERY}`);
      const outcome = await run();
      notes.push(`${name} ${outcome.kind}`);
      return outcome;
    },
  };
}

it('runs everything once, inside all of them, the first outermost', async () => {
  const notes: string[] = [];
  const both = observersOf(noting('a', notes), noting('b', notes));
  const outcome: Outcome = { kind: 'done' };
  const run = async () => {
    notes.push('run');
    return outcome;
  };
  expect(await both.turn(DELIVERY, run)).toBe(outcome);
  expect(await both.send([], async () => notes.push('store'), DELIVERY)).toBe(8);
  expect(notes).toEqual([
    ...['a turn true', 'b turn true', 'run', 'b done', 'a done'],
    ...['a send 0 in a turn', 'b send 0 in a turn', 'store', 'b sent', 'a sent'],
  ]);
});

it('is none of them too', async () => {
  expect(await observersOf().send([], async () => 1)).toBe(1);
});
