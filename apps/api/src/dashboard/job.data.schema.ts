import { jsonSchemaOf, type MessageClass } from '@callsheet/messaging';
import { embed, type JsonSchema } from '../embedded.schema.js';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * The JSON Schema of the jobs in a queue: with several messages, any of theirs, each with its type as title. Undefined when
 * no message has one.
 */
export function jobDataSchemaOf(messages: readonly MessageClass[]): JsonSchema | undefined {
  if (!messages.some(jsonSchemaOf)) return undefined;
  const [only, ...others] = messages;
  if (only && others.length === 0) return { $schema: DRAFT, ...titled(only, '#') };
  return {
    $schema: DRAFT,
    anyOf: messages.map((message, index) => titled(message, `#/anyOf/${index}`)),
  };
}

/** A message whose schema JSON cannot say may have any data. */
function titled(message: MessageClass, pointer: string): JsonSchema {
  const { type } = message.meta;
  return { ...embed(jsonSchemaOf(message) ?? { type: 'object' }, pointer), title: type };
}
