import type { JournalRow } from '@callsheet/messaging';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';
import { auditEntry, type AuditEntry } from './audit.entry.js';

/** A page of the audit log. */
export const auditPage = z
  .object({
    items: z.array(auditEntry.extend({ id: z.string() })),
    next: z.string().optional().describe('`before` of the next page; absent when this is the last'),
  })
  .register(schemas, { id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPage>;

/** @param rows one more than `limit`, if there are more */
export function toAuditPage(rows: readonly JournalRow[], limit: number): AuditPage {
  const shown = rows.slice(0, limit);
  return {
    items: shown.map(({ id, row }) => ({ id, ...(row as unknown as AuditEntry) })),
    next: rows.length > limit ? shown.at(-1)?.id : undefined,
  };
}
