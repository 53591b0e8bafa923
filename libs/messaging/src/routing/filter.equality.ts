/** What the content of an event must be for a filter to be true of it. */
export interface Equality {
  /** Names of fields, from `data` or `headers` on. */
  readonly path: readonly string[];
  readonly value: string | number;
}

const EQUALITY =
  /^((?:data|headers)(?:\.[a-zA-Z_]\w*)+)\s*==\s*(?:'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?))$/;
/** What would need a parser: escapes, comments, strings that hold both quotes. */
const INTRICATE = /\\|\/\/|'''|"""/;

/**
 * Equalities of which a filter is false if one is, read off its text: compiling ten thousand to index them takes a second.
 * Those of its parts `data.a.b == 'x'` that stand between `&&`; none when it has `||` or `?` beside them.
 */
export function equalitiesOf(expression: string): Equality[] {
  if (!expression.includes('==') || INTRICATE.test(expression)) return [];
  return conjuncts(expression).flatMap((part) => {
    const [, path, single, double, number] = EQUALITY.exec(part.trim()) ?? [];
    if (path === undefined) return [];
    return [{ path: path.split('.'), value: single ?? double ?? Number(number) }];
  });
}

/** What stands between `&&` outside of brackets and strings. */
function conjuncts(expression: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  let quote = '';
  for (let at = 0; at < expression.length; at++) {
    const char = expression[at]!;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === "'" || char === '"') quote = char;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (depth > 0) continue;
    else if (char === '|' || char === '?') return [];
    else if (char === '&') {
      parts.push(expression.slice(start, at));
      start = ++at + 1;
    }
  }
  return [...parts, expression.slice(start)];
}

/** What an object has there; undefined when there is nothing. */
export function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const name of path) {
    const has = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    if (!has || Array.isArray(value)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
