import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** The body of a webhook. */
export const hookBody = z
  .looseObject({
    type: z
      .string()
      .optional()
      .describe('what happened; the topic ends in it when it is made of words with dots between'),
  })
  .register(schemas, { id: 'HookBody' });

/** What is answered to a webhook: the same each time that it comes. */
export const hookTaken = z
  .object({
    id: z.string().describe('of the event: the source and its webhook-id'),
    topic: z.string().describe('under which the event was published'),
  })
  .register(schemas, { id: 'HookTaken' });
export type HookTaken = z.output<typeof hookTaken>;
