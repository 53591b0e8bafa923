import { isDeepStrictEqual } from 'node:util';
import { ruleNext } from './decisions.js';
import { dueTime } from './rule/index.js';
import type { Definition, ScheduleState } from './schedule.state.js';

/** An occurrence that is still to come. */
export interface Coming {
  nominal: number;
  /** When it is due. */
  at: number;
}

/** The occurrences that are not decided yet, of the definition of a schedule and of those that follow it. */
export function* coming(state: ScheduleState): Generator<Coming, undefined> {
  const { definition, successors, watermark, decided } = state;
  if (!definition) return undefined;
  let [current, after, count] = [definition, watermark, decided];
  for (const successor of [...successors, undefined]) {
    for (;;) {
      const nominal = ruleNext(current, after, count);
      if (nominal === undefined || nominal > (successor?.from ?? Infinity)) break;
      yield { nominal, at: dueTime(current.rule, nominal) };
      [after, count] = [nominal, count + 1];
    }
    if (!successor) return undefined;
    if (!isSameRule(current, successor.definition)) count = 0;
    [current, after] = [successor.definition, Math.max(after, successor.from)];
  }
  return undefined;
}

/** The next of them. */
export function upcoming(state: ScheduleState): Coming | undefined {
  return coming(state).next().value;
}

/** Whether two definitions have the same occurrences. */
export function isSameRule(a: Definition, b: Definition): boolean {
  return isDeepStrictEqual(a.rule, b.rule);
}
