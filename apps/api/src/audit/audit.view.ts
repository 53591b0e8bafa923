import { z } from 'zod';
import { journalQuery } from '../keys/key.view.js';
import { schemas } from '../schema.registry.js';
import { deedOf } from './audit.deed.js';
import { auditEntry } from './audit.entry.js';
import type { FoundEntries } from './audit.log.js';

/** The query of a page of the audit log. */
export const auditQuery = journalQuery.extend({
  action: z.string().max(60).optional(),
  who: z.string().max(250).optional(),
  target: z.string().max(300).optional(),
});
export type AuditQuery = z.output<typeof auditQuery>;

/** A page of the audit log. */
export const auditPage = z
  .object({
    items: z.array(
      auditEntry.extend({
        id: z.string(),
        action: z.string().describe('what was done, in a word: create, change, pause, redrive'),
        target: z.string().describe('to what, as its path below /v1: schedules/weekly'),
      }),
    ),
    next: z
      .string()
      .optional()
      .describe('`before` of the next page, which may be empty; absent when this is the last'),
  })
  .register(schemas, { id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPage>;

export function toAuditPage({ items, next }: FoundEntries): AuditPage {
  return { items: items.map(({ id, entry }) => ({ id, ...entry, ...deedOf(entry) })), next };
}
