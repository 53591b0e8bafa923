import { z } from 'zod';
import { journalQuery } from '../keys/key.view.js';
import { iso } from '../messages/message.view.js';
import { schemas } from '../schema.registry.js';
import { auditEntry } from './audit.entry.js';
import type { FoundEntries, FoundEntry } from './audit.log.js';

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
        unreadable: z
          .string()
          .optional()
          .describe('why nothing is said but when: it is encrypted, and cannot be decrypted here'),
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
  return { items: items.map(toEntryView), next };
}

function toEntryView(found: FoundEntry): AuditPage['items'][number] {
  const { id } = found;
  if ('entry' in found) return { id, ...found.entry, ...found.deed };
  const nothing = { who: '', name: '', call: '', path: '', action: '', target: '' };
  return { id, at: iso(found.at), ...nothing, unreadable: found.unreadable };
}
