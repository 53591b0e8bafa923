import { z } from 'zod';
import { messageView } from '../messages/message.view.js';
import { schemas } from '../schema.registry.js';

/** The query of a list of dead letters. */
export const deadLetterQuery = z.strictObject({
  actor: z.string().optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .optional(),
  cursor: z.string().max(1_024).optional(),
});
export type DeadLetterQuery = z.output<typeof deadLetterQuery>;

/** A page of dead letters, newest first. */
export const deadLetterList = z
  .object({
    items: z.array(messageView),
    next: z.string().optional().describe('cursor of the next page; absent on the last'),
  })
  .register(schemas, { id: 'DeadLetterList' });
export type DeadLetterList = z.infer<typeof deadLetterList>;

/** What is answered when a dead letter was put back into its queue. */
export const redriven = z
  .object({ id: z.string(), state: z.literal('waiting') })
  .register(schemas, { id: 'Redriven' });
export type Redriven = z.infer<typeof redriven>;
