import {
  Actor,
  Handle,
  Happenings,
  Message,
  type JsonObject,
  type Turn,
} from '@callsheet/messaging';
import { z } from 'zod';
import { auditEntry } from './audit.entry.js';

/** The actor that keeps the audit log, and the one key of all its entries. */
export const AUDIT_LOG = 'audit-log';
export const LOG = 'log';

/** Has an entry kept, which only the audit log shows. */
export class KeepEntry extends Message(
  `${AUDIT_LOG}.keep`,
  z.object({ log: z.literal(LOG), entry: auditEntry }),
  { key: 'log', secret: ['entry'] },
) {}

/** Keeps the audit log: the newest 100,000 entries, in the order in which they were kept. Runs where the API does. */
@Actor({ name: AUDIT_LOG, journal: { keep: 100_000 } })
export class AuditActor {
  constructor(private readonly happenings: Happenings) {}

  @Handle(KeepEntry)
  keep({ entry }: KeepEntry, turn: Turn): void {
    turn.journal(entry as JsonObject);
    const { who, name, call, path, status } = entry;
    this.happenings.tell('audit', () => ({ who, name, call, path, status }));
  }
}
