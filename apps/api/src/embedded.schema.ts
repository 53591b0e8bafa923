/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/**
 * A schema as part of a larger document.
 *
 * @param pointer where it stands there, from `#`: references inside it are made to point there
 */
export function embed({ $schema: _, ...schema }: JsonSchema, pointer: string): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' && value.startsWith('#')
      ? pointer + value.slice(1)
      : value,
  ) as JsonSchema;
}
