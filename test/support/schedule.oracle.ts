import { nextOccurrence, type CheckedRule } from '../../libs/scheduler/src/rule/index.js';
import type { ScheduleRow } from '../../libs/scheduler/src/schedule.journal.js';

/** A rule, and since when it is in force. */
export interface Span {
  rule: CheckedRule;
  from: number;
}

/**
 * The occurrences about which there is not one decision, but none or several; and decisions about what is none. Empty when all is
 * accounted for.
 *
 * @param rows the whole journal, oldest first
 * @param spans the rules of the schedule, oldest first
 * @param until nominal times up to then must have been decided
 */
export function unaccounted(
  rows: readonly ScheduleRow[],
  spans: readonly Span[],
  until: number,
): string[] {
  const expected = occurrencesOf(spans, until);
  const decisions = new Map(expected.map((nominal) => [nominal, 0]));
  const places = new Map(expected.map((nominal, place) => [nominal, place]));
  const problems: string[] = [];
  for (const row of rows) {
    if (row.kind !== 'occurrence' || row.reason === 'manual' || row.reason === 'backfill') continue;
    const { nominal, until: last = nominal, count = 1 } = row;
    const first = places.get(nominal) ?? -1;
    const meant = first < 0 ? [] : expected.slice(first, first + count);
    if (meant.at(-1) !== last) problems.push(`no such occurrences: ${JSON.stringify(row)}`);
    for (const each of meant) decisions.set(each, (decisions.get(each) ?? 0) + 1);
  }
  for (const [nominal, count] of decisions) {
    if (count !== 1) problems.push(`${new Date(nominal).toISOString()}: ${count} decisions`);
  }
  return problems;
}

function occurrencesOf(spans: readonly Span[], until: number): number[] {
  return spans.flatMap(({ rule, from }, index) => {
    const to = Math.min(spans[index + 1]?.from ?? Infinity, until);
    const found: number[] = [];
    for (let at = nextOccurrence(rule, from); at !== undefined && at <= to;) {
      found.push(at);
      at = nextOccurrence(rule, at);
    }
    return found;
  });
}
