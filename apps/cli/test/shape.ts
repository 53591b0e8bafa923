/** What kind of document a JSON value is: names and kinds, without values. Of a list what all its entries come to. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const kinds = new Set(value.map((each) => JSON.stringify(shapeOf(each))));
    return [...kinds].sort().map((kind) => JSON.parse(kind) as unknown);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, each]) => [name, shapeOf(each)]),
    );
  }
  return value === null ? 'null' : typeof value;
}
