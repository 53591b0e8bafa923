import {
  jsonSchemaOf,
  replyJsonSchemaOf,
  type ActorCounts,
  type MessageClass,
  type Pause,
  type Statistics,
} from '@callsheet/messaging';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';

const percentiles = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number() })
  .register(schemas, { id: 'Percentiles' });

/** An actor as the API shows it. */
export const actorView = z
  .object({
    name: z.string(),
    messages: z.array(
      z.object({
        type: z.string(),
        version: z.int(),
        key: z
          .string()
          .optional()
          .describe('the field of the data that says for which instance it is; absent: none'),
        jsonSchema: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('of the data; absent when the schema library offers none'),
        replyJsonSchema: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('of what the handler answers; absent also when the message declares no reply'),
      }),
    ),
    counts: z.object({
      waiting: z.int(),
      delayed: z.int(),
      active: z.int(),
      done: z.int().describe('those still kept'),
      dead: z.int(),
    }),
    quarantined: z.int().describe('keys that are stopped until somebody releases them'),
    paused: z
      .object({ since: z.iso.datetime(), reason: z.string() })
      .optional()
      .describe('when somebody has paused it, in all processes'),
    throughput: z.number().describe('T = N / t: messages handled per second in the last minute'),
    latency: percentiles.optional().describe('L = t - t0: milliseconds from ready to handled'),
    wait: percentiles.optional().describe('the part of L before the start'),
    run: percentiles.optional().describe('the part of L in the handler'),
    sample: z.int().describe('how many recent messages the figures are made from'),
  })
  .register(schemas, { id: 'Actor' });
export type ActorView = z.infer<typeof actorView>;

/** All actors, by name. */
export const actorList = z
  .object({ items: z.array(actorView) })
  .register(schemas, { id: 'ActorList' });
export type ActorList = z.infer<typeof actorList>;

/** The body that pauses an actor. */
export const actorPause = z
  .strictObject({ reason: z.string().describe('1 to 500 characters') })
  .register(schemas, { id: 'ActorPause' });
export type ActorPause = z.output<typeof actorPause>;

/** What is known of an actor, as the API shows it. */
export function toActorView(
  name: string,
  messages: readonly MessageClass[],
  counts: ActorCounts,
  quarantined: number,
  { sample, throughput, latency, wait, run }: Statistics,
  paused: Pause | undefined,
): ActorView {
  return {
    name,
    messages: messages.map((message) => ({
      type: message.meta.type,
      version: message.meta.version,
      key: message.meta.key,
      jsonSchema: jsonSchemaOf(message),
      replyJsonSchema: replyJsonSchemaOf(message),
    })),
    counts,
    quarantined,
    paused,
    throughput,
    latency,
    wait,
    run,
    sample,
  };
}
