import { encode, type Gathering, type Publication } from '@callsheet/messaging';
import { z } from 'zod';
import { asking, telling } from '../messages/telling.js';
import { schemas } from '../schema.registry.js';

const type = z
  .string()
  .max(127)
  .optional()
  .describe(
    "of the event, one of those at /v1/actors. Default: the topic, when that is one's type",
  );

/** The body that publishes an event: as the one of a message, but that its type may be the topic. */
export const publishing = telling
  .omit({ replace: true })
  .extend({
    type,
    unrouted: z
      .enum(['drop', 'keep'])
      .optional()
      .describe(
        'when nobody receives it: drop (default), or keep it as a dead letter that can be redriven',
      ),
  })
  .register(schemas, { id: 'Publishing' });
export type Publishing = z.output<typeof publishing>;

/** What is answered to it. */
export const published = z
  .object({
    id: z.string().describe('of the event'),
    topic: z.string(),
    receivers: z.array(z.string()).describe('actors that get a copy, sorted'),
    copies: z.array(z.string()).describe('ids of the copies, in the same order'),
    kept: z.string().optional().describe('id of the copy that is kept because nobody receives it'),
  })
  .register(schemas, { id: 'Published' });
export type Published = z.output<typeof published>;

/** The body that publishes an event and gathers what is answered to it. */
export const eventAsking = asking
  .extend({
    type,
    need: z
      .union([z.string(), z.number()])
      .optional()
      .describe(
        'how many replies are enough: first, all (default), quorum (more than half), or a whole number from 1',
      ),
  })
  .register(schemas, { id: 'EventAsking' });
export type EventAsking = z.output<typeof eventAsking>;

/** What was answered to an event. */
export const gathered = z
  .object({
    id: z.string().describe('of the event'),
    isComplete: z.boolean().describe('as many as were needed have replied'),
    replies: z.array(
      z.object({
        actor: z.string(),
        reply: z.unknown().optional(),
      }),
    ),
    failures: z
      .array(
        z.object({
          actor: z.string(),
          error: z.object({
            code: z
              .string()
              .describe('cancelled, or that of what the handler threw, else its name'),
            message: z.string(),
          }),
        }),
      )
      .describe('those whose copies became dead letters or were cancelled'),
    silent: z.array(z.string()).describe('handled it and do not reply; they are not counted'),
    missing: z
      .array(z.string())
      .describe('those that have not answered; their copies go on, and can be asked for again'),
  })
  .register(schemas, { id: 'Gathered' });
export type Gathered = z.output<typeof gathered>;

export function toPublished(
  { id, receivers, copies, kept }: Publication,
  topic: string,
): Published {
  return { id, topic, receivers: [...receivers], copies: [...copies], kept };
}

export function toGathered({ replies, failures, ...rest }: Gathering<unknown>): Gathered {
  return {
    id: rest.id,
    isComplete: rest.isComplete,
    replies: replies.map(({ actor, reply }) => ({
      actor,
      ...(reply !== undefined && { reply: encode(reply).data }),
    })),
    failures: failures.map(({ actor, error }) => ({
      actor,
      error: { code: codeOf(error), message: error.message },
    })),
    silent: rest.silent,
    missing: rest.missing,
  };
}

function codeOf(error: Gathering<unknown>['failures'][number]['error']): string {
  return 'error' in error ? (error.error.code ?? error.error.name) : error.code;
}
