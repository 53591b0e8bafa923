import type { CelValue } from '@bufbuild/cel';
import { OptionError } from '../messaging.errors.js';
import { withinBudget } from './budget.js';
import { cel } from './cel.js';
import { readExpression } from './filter.expression.js';
import { environment } from './filter.functions.js';
import { variablesOf, type Variables } from './filter.variables.js';
import type { RoutedEvent } from './route.js';

const MOST_KNOWN = 20_000;
const LONGEST_ERROR = 200;

/** What a filter says of an event. */
export interface Verdict {
  matches: boolean;
  /** Why it could not say more than no: a field that is missing, a result that is neither true nor false. */
  error?: string;
}

/** A condition on the content of an event. It has no effects and its cost is bounded; it never throws. */
export interface EventFilter {
  readonly expression: string;
  /** @param variables those of the event, for who tests it with several filters */
  test(event: RoutedEvent, variables?: Variables): Verdict;
}

/** Of this process: what was compiled once is not compiled again when the rules change. */
const known = new Map<string, EventFilter>();

/**
 * A filter of a CEL expression: `data.amount > 1000 && headers.region == 'eu'`.
 *
 * @throws OptionError for what is not CEL, names what is not there, or could cost too much
 */
export function compileFilter(expression: string, path: string): EventFilter {
  const before = known.get(expression);
  if (before) return before;
  const filter = compiled(expression, path);
  // The one that was compiled first goes.
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string);
  known.set(expression, filter);
  return filter;
}

function compiled(expression: string, path: string): EventFilter {
  let run: (variables: Variables) => unknown;
  try {
    run = cel().plan(environment(), readExpression(expression)) as typeof run;
  } catch (error) {
    const isTooDeep = error instanceof RangeError;
    throw new OptionError(path, isTooDeep ? 'is nested too deeply' : reasonOf(error));
  }
  return {
    expression,
    test(event, variables) {
      try {
        return verdictOf(withinBudget(() => run(variables ?? variablesOf(event))));
      } catch (error) {
        return { matches: false, error: reasonOf(error) };
      }
    },
  };
}

function verdictOf(result: unknown): Verdict {
  if (typeof result === 'boolean') return { matches: result };
  if (cel().isCelError(result)) return { matches: false, error: reasonOf(result) };
  return {
    matches: false,
    error: `is neither true nor false, but a ${cel().celType(result as CelValue).name}`,
  };
}

/** It may quote what is in the event. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.length > LONGEST_ERROR ? `${message.slice(0, LONGEST_ERROR)}…` : message;
}
