import type { MessageClass } from '@callsheet/messaging';
import type { StandardJSONSchemaV1 } from '@standard-schema/spec';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** The JSON Schema of a message's data as sent; undefined when its schema library offers none or cannot express it. */
export function jsonSchemaOf({ meta }: Pick<MessageClass, 'meta'>): JsonSchema | undefined {
  const standard = meta.schema['~standard'] as Partial<StandardJSONSchemaV1.Props>;
  try {
    return standard.jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    return undefined;
  }
}
