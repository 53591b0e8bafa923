import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** The process runs. */
export const live = z.object({ status: z.literal('live') }).register(schemas, { id: 'Live' });
export type Live = z.infer<typeof live>;

/** What else must hold. */
export const readyQuery = z.strictObject({
  oldest: z
    .string()
    .optional()
    .describe(
      "not ready when a message that could be handled has waited for longer, such as '10m'; messages of paused actors may",
    ),
});
export type ReadyQuery = z.infer<typeof readyQuery>;

/** The process can do its work. */
export const ready = z
  .object({
    status: z.literal('ready'),
    turnMs: z.number().describe('how long a turn took, from sent to answered'),
    store: z.object({
      name: z.string(),
      durability: z.enum(['power-safe', 'process-safe', 'memory']),
    }),
  })
  .register(schemas, { id: 'Ready' });
export type Ready = z.infer<typeof ready>;
