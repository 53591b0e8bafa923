import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { History } from '../history.js';
import { CHECKS, enoughFaults, type CheckName } from './index.js';
import { goodHistory } from './good.history.js';
import { DAMAGES } from './damages.js';

const RUNS = { numRuns: 200 };

function found(history: History): CheckName[] {
  return (Object.keys(CHECKS) as CheckName[]).filter((name) => CHECKS[name](history).length > 0);
}

describe('checks', () => {
  it('find nothing wrong with what a system without fault does, whoever is killed', () => {
    fc.assert(
      fc.property(goodHistory, (history) => {
        expect(found(history)).toEqual([]);
      }),
      RUNS,
    );
  });

  for (const { title, by, damage } of DAMAGES) {
    it(`see ${title}`, () => {
      fc.assert(
        fc.property(goodHistory, fc.nat(), (history, where) => {
          const bad = damage(structuredClone(history), where);
          fc.pre(bad !== undefined);
          expect(found(bad)).toContain(by);
        }),
        RUNS,
      );
    });
  }

  it('have a damage each that they see', () => {
    expect(new Set(DAMAGES.map(({ by }) => by))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it('call a run vacuous that had fewer faults than it says', () => {
    fc.assert(
      fc.property(goodHistory, (history) => {
        const kills = history.events.filter(({ kind }) => kind === 'fault').length;
        expect(enoughFaults({ 'kill -9': kills })(history)).toEqual([]);
        expect(enoughFaults({ 'kill -9': kills + 1 })(history)).toEqual([
          `vacuous: ${kills} of ${kills + 1} faults 'kill -9' happened`,
        ]);
      }),
      RUNS,
    );
  });
});
