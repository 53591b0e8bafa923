type Schema = Readonly<Record<string, unknown>>;

/** Data that a JSON Schema might mean, for somebody to fill in: what it requires, empty. */
export function sampleOf(schema: Schema | undefined, depth = 0): unknown {
  if (!schema || depth > 5) return {};
  const { type, properties, required, anyOf } = schema as {
    type?: string;
    properties?: Record<string, Schema>;
    required?: string[];
    anyOf?: Schema[];
  };
  if (schema['const'] !== undefined) return schema['const'];
  if (schema['default'] !== undefined) return schema['default'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  if (anyOf?.[0]) return sampleOf(anyOf[0], depth + 1);
  switch (type) {
    case 'string':
      return '';
    case 'number':
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    default:
      return Object.fromEntries(
        (required ?? []).map((name) => [name, sampleOf(properties?.[name], depth + 1)]),
      );
  }
}
