import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** The process runs. */
export const live = z.object({ status: z.literal('live') }).register(schemas, { id: 'Live' });
export type Live = z.infer<typeof live>;

/** The process can do its work. */
export const ready = z
  .object({
    status: z.literal('ready'),
    store: z.object({
      name: z.string(),
      durability: z.enum(['power-safe', 'process-safe', 'memory']),
    }),
  })
  .register(schemas, { id: 'Ready' });
export type Ready = z.infer<typeof ready>;
