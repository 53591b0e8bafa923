/** A value for people to edit. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** What somebody typed as JSON; undefined when it is nothing. @throws Error that names it, and says what is wrong where */
export function jsonIn(text: string, name: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** As {@link jsonIn}, for what must be an object. */
export function objectIn(text: string, name: string): Record<string, unknown> | undefined {
  const value = jsonIn(text, name);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${name}: must be an object, such as {"amount": 10}`);
}
