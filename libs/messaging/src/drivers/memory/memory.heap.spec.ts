import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap, type Slot } from './memory.heap.js';

const rank = fc.integer({ min: 0, max: 5 });
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), rank }),
  fc.record({ do: fc.constant('take' as const), rank }),
  fc.record({ do: fc.constant('remove' as const), rank }),
);

describe('Heap', () => {
  it('gives by rank, equal ones by order, whatever leaves in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const heap = new Heap<number>();
        let model: Slot<number>[] = [];
        const taken: (number | undefined)[][] = [];
        for (const [order, each] of steps.entries()) {
          model.sort((a, b) => a.rank - b.rank || a.order - b.order);
          if (each.do === 'add') model.push(heap.add(order, each.rank, order));
          else if (each.do === 'take') taken.push([heap.take(), model.shift()?.item]);
          else {
            const slot = model[(order * 7) % Math.max(1, model.length)];
            if (slot) heap.remove(slot);
            if (slot) heap.remove(slot);
            model = model.filter((other) => other !== slot);
          }
          expect(heap.size).toBe(model.length);
        }
        expect(taken.map(([item]) => item)).toEqual(taken.map(([, item]) => item));
        model.sort((a, b) => a.rank - b.rank || a.order - b.order);
        expect(heap.peek()?.item).toBe(model[0]?.item);
        expect(heap.items()).toEqual(model.map(({ item }) => item));
      }),
    );
  });

  it('lets go of what was removed', () => {
    const heap = new Heap<number>();
    const slots = Array.from({ length: 1_000 }, (_, n) => heap.add(n, n % 10, n));
    for (const slot of slots.slice(1)) heap.remove(slot);
    expect(heap.all()).toHaveLength(1);
    expect((heap as unknown as { slots: unknown[] }).slots.length).toBeLessThan(64);
  });
});
