import type { DeadLetter, JsonObject } from '@callsheet/messaging';
import { z } from 'zod';
import { messageView, toMessageView } from '../messages/message.view.js';
import { pageCursor, pageLimit } from '../page.js';
import { schemas } from '../schema.registry.js';

const filter = {
  actor: z.string().optional(),
  type: z.string().max(127).optional(),
  reason: messageView.shape.reason,
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{12}$/, 'must be 12 hexadecimal digits')
    .optional()
    .describe('the same for letters that died of the same trouble'),
  error: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('name or code of the error of the last attempt'),
  before: z.iso
    .datetime({ offset: true })
    .transform((time) => new Date(time))
    .optional()
    .describe('died before this moment'),
};

/** The query of the groups of dead letters. */
export const deadLetterFilter = z.strictObject(filter);
export type DeadLetterFilterQuery = z.output<typeof deadLetterFilter>;

/** The query of a list of dead letters. */
export const deadLetterQuery = z.strictObject({
  ...filter,
  limit: pageLimit,
  cursor: pageCursor,
});
export type DeadLetterQuery = z.output<typeof deadLetterQuery>;

/** A dead letter as the API shows it. */
export const deadLetterView = messageView
  .extend({
    fingerprint: z.string().describe('the same for letters that died of the same trouble'),
  })
  .register(schemas, { id: 'DeadLetter' });
export type DeadLetterView = z.infer<typeof deadLetterView>;

export function toDeadLetterView(letter: DeadLetter, data: JsonObject): DeadLetterView {
  return { ...toMessageView(letter, data), fingerprint: letter.fingerprint };
}

/** Dead letters by what they died of, the most frequent first. */
export const deadLetterGroups = z
  .object({
    items: z.array(
      z.object({
        fingerprint: z.string(),
        count: z.int(),
        actor: z.string(),
        type: z.string(),
        reason: messageView.shape.reason,
        error: z
          .object({ name: z.string(), message: z.string(), code: z.string().optional() })
          .optional()
          .describe('of the newest'),
        first: z.iso.datetime().describe('when the oldest died'),
        last: z.iso.datetime().describe('when the newest died'),
        ids: z.array(z.string()).describe('of the newest, at most five'),
      }),
    ),
    complete: z
      .boolean()
      .describe(
        'whether all letters were looked at: it looks for two seconds or so, at the newest first, 50,000 at most',
      ),
    since: z.iso
      .datetime()
      .optional()
      .describe('when not all were: those that died before were not looked at, nor counted'),
  })
  .register(schemas, { id: 'DeadLetterGroups' });
export type DeadLetterGroups = z.infer<typeof deadLetterGroups>;

/** The body of a redrive; there need not be one. */
export const redrive = z
  .strictObject({
    data: z.record(z.string(), z.unknown()).optional().describe('takes the place of its data'),
  })
  .optional()
  .register(schemas, { id: 'Redrive' });
export type Redrive = z.output<typeof redrive>;

/** The body of a redrive of many: which, and how many of them. What is absent does not narrow. */
export const redriveMany = z
  .strictObject({
    ...filter,
    limit: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .describe('at most this many, the oldest; default 100'),
    dryRun: z.boolean().optional().describe('only count; default false'),
  })
  .register(schemas, { id: 'RedriveMany' });
export type RedriveMany = z.output<typeof redriveMany>;

/** What is answered to a redrive of many. */
export const redrivenMany = z
  .object({
    state: z.enum(['redriven', 'counted']).describe('counted: a dry run'),
    count: z.int().describe('how many were redriven; of a dry run, how many would be'),
    matched: z.int().describe('how many matched, of the 50,000 newest at most'),
    more: z.boolean().describe('whether some that match may still be there: ask again'),
  })
  .register(schemas, { id: 'RedrivenMany' });
export type RedrivenMany = z.infer<typeof redrivenMany>;

/** A page of dead letters, newest first. */
export const deadLetterList = z
  .object({
    items: z.array(deadLetterView),
    next: z
      .string()
      .optional()
      .describe(
        'cursor of the next page; absent on the last. A page may have few items, even none, and a next one',
      ),
  })
  .register(schemas, { id: 'DeadLetterList' });
export type DeadLetterList = z.infer<typeof deadLetterList>;

/** What is answered when a dead letter was put back into its queue. */
export const redriven = z
  .object({ id: z.string(), state: z.literal('waiting') })
  .register(schemas, { id: 'Redriven' });
export type Redriven = z.infer<typeof redriven>;

/** What is answered when a dead letter was removed. */
export const discarded = z
  .object({ id: z.string(), state: z.literal('discarded') })
  .register(schemas, { id: 'Discarded' });
export type Discarded = z.infer<typeof discarded>;
