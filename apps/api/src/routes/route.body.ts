import { z } from 'zod';
import { telling } from '../messages/telling.js';
import { schemas } from '../schema.registry.js';
import { routeFields } from './route.fields.js';

const shown = z.unknown().optional().describe('as it is shown; changes nothing');

/** The body that makes or changes a route. What was shown of one can be sent back, whole. */
export const routePut = z
  .strictObject({
    id: z.string().optional().describe('that of the URL'),
    ...routeFields(
      z
        .union([z.number(), z.string()])
        .describe(
          'critical, high, normal, low, or a whole number from 1, served first, to 2097152',
        ),
      z
        .union([z.number(), z.string()])
        .describe("milliseconds, or a string such as '10s'; beside the event's own"),
    ),
    revision: shown,
    changedAt: shown,
  })
  .register(schemas, { id: 'RoutePut' });
export type RoutePut = z.output<typeof routePut>;

/** The body that asks where an event would be led. */
export const routeTesting = telling
  .pick({ type: true, data: true, version: true, headers: true, priority: true, tenant: true })
  .extend({
    topic: z.string().optional().describe('default: the type'),
    route: routePut
      .required({ id: true })
      .optional()
      .describe('as if it were stored, in place of the one with its id'),
  })
  .register(schemas, { id: 'RouteTesting' });
export type RouteTesting = z.output<typeof routeTesting>;
