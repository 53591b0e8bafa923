import type { PlannedChange } from '@callsheet/scheduler';

const SIGNS = { create: '+', update: '~', adopt: '>', remove: '-', keep: ' ' } as const;

/** A plan as lines of text, ending with what it comes to. */
export function planText(plan: readonly PlannedChange[]): string {
  const lines = plan.map(({ change, id }) => `${SIGNS[change]} ${change.padEnd(6)} ${id}`);
  const counts = (['create', 'update', 'adopt', 'remove', 'keep'] as const)
    .map((change) => `${plan.filter((each) => each.change === change).length} to ${change}`)
    .join(', ');
  return [...lines, counts, ''].join('\n');
}
