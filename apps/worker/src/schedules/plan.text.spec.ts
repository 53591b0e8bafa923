import { expect, it } from 'vitest';
import { planText } from './plan.text.js';

it('a plan is a line for each schedule, and one that counts', () => {
  expect(
    planText([
      { change: 'create', id: 'a.tick', actor: 'a' },
      { change: 'remove', id: 'b.tock', actor: 'b' },
      { change: 'keep', id: 'c.tack', actor: 'c' },
    ]),
  ).toBe(
    '+ create a.tick\n- remove b.tock\n  keep   c.tack\n1 to create, 0 to update, 0 to adopt, 1 to remove, 1 to keep\n',
  );
  expect(planText([])).toContain('0 to create');
});
