import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { MessageClass } from './message.js';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** The JSON Schema of a message's data as sent; undefined when its schema library offers none or cannot express it. */
export function jsonSchemaOf({ meta }: Pick<MessageClass, 'meta'>): JsonSchema | undefined {
  return schemaOf(meta.schema);
}

/** The JSON Schema of what its handler answers; undefined also when it declares no reply. */
export function replyJsonSchemaOf({ meta }: Pick<MessageClass, 'meta'>): JsonSchema | undefined {
  return meta.reply && schemaOf(meta.reply);
}

function schemaOf(schema: StandardSchemaV1): JsonSchema | undefined {
  const standard = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>;
  try {
    return standard.jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    return undefined;
  }
}
