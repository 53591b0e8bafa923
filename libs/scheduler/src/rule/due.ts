import { draw } from './draw.js';
import { nextOccurrence } from './occurrences.js';
import type { CheckedRule } from './rule.js';

/**
 * When an occurrence is to run: its nominal time, later by the schedule's part of the window and by the occurrence's jitter. Always
 * before the next nominal time, so the order of runs is that of nominal times. ms since 1970.
 */
export function dueTime(rule: CheckedRule, nominal: number): number {
  const { window, jitter, seed } = rule;
  if (window === undefined && jitter === undefined) return nominal;
  const room = (nextOccurrence(rule, nominal) ?? Infinity) - nominal;
  const spread =
    typeof window === 'string'
      ? // The last occurrence has no next one: a part of nothing known is nothing.
        (room === Infinity ? 0 : room) * (Number.parseFloat(window) / 100)
      : Math.min(window ?? 0, room);
  const later = draw(`${seed}\nwindow`) * spread + draw(`${seed}\n${nominal}`) * (jitter ?? 0);
  return nominal + Math.min(Math.floor(later), room - 1);
}
