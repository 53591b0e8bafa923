import { z } from 'zod';
import { schemas } from '../schema.registry.js';

const headers = z.record(z.string(), z.string());

/** One of several actors, or one by its name. */
export const receiver = z
  .union([
    z.string(),
    z.strictObject({
      oneOf: z.array(z.string()).describe('1 to 20 names of actors'),
      by: z
        .enum(['load', 'hash'])
        .describe(
          'load: the one with the fewest messages; hash: always the same for a key, or without one for a topic',
        ),
    }),
  ])
  .register(schemas, { id: 'Receiver' });

/**
 * What is said of a route beside its id, by who makes it and by who shows it. It says which fields there are and of which
 * kind; their values are checked by the framework, in one place for every way to make one.
 */
export function routeFields<P extends z.ZodType, D extends z.ZodType>(priority: P, delay: D) {
  return {
    order: z.number().describe('whole; lower ones are looked at first, equal ones by id'),
    match: z
      .strictObject({
        type: z.string().optional(),
        topic: z
          .string()
          .optional()
          .describe('a pattern: * stands for one word, ** for any number of words'),
        headers: headers.optional().describe('each must be there with this value'),
        priority: z
          .strictObject({ min: priority.optional(), max: priority.optional() })
          .optional()
          .describe('from the one to the other, both included; 1 is served first'),
        tenant: z.string().optional(),
        when: z
          .string()
          .optional()
          .describe(
            "an expression of CEL over type, topic, data, headers, priority, tenant and time: data.total > 100 && headers.region == 'eu'",
          ),
      })
      .describe('all that is given must match; {} is every event'),
    to: z.array(receiver).describe('who gets a copy; at most 20'),
    set: z
      .strictObject({
        priority: priority.optional(),
        delay: delay.optional(),
        headers: headers.optional(),
      })
      .optional()
      .describe('what is said anew in the copies'),
    last: z
      .boolean()
      .optional()
      .describe('no route behind it is looked at when it matches; subscriptions still are'),
    disabled: z.boolean().optional(),
  };
}
