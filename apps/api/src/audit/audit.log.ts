import {
  Actors,
  CLOCK,
  ENGINE,
  unreadable,
  type Clock,
  type Engine,
  type JournalRow,
} from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AUDIT_LOG, KeepEntry, LOG } from './audit.actor.js';
import { deedAskedFor, type AuditFilter, type Deed } from './audit.deed.js';
import { fitted, type AuditEntry } from './audit.entry.js';

/** An entry whose outcome is not known. */
export interface OpenEntry {
  /** Has it kept, with its outcome. Never rejects: it is kept without one, later. */
  close(outcome: Partial<AuditEntry>): Promise<void>;
  /** Nothing was changed: it is not kept. Never rejects. */
  drop(): Promise<void>;
}

/** An entry, and what was done by it; of one that cannot be decrypted here, when it was kept and why it cannot. */
export type FoundEntry = { id: string } & (
  { entry: AuditEntry; deed: Deed } | { at: number; unreadable: string }
);

/** Entries that were found. */
export interface FoundEntries {
  items: FoundEntry[];
  /** Where it goes on: behind the entry with this id. */
  next?: string;
}

/** Entries that one call looks at, and how many it reads at once, when it has to search. */
const MOST_READ = 1_000;
const MANY = 200;

/** Keeps who changed what. */
@Injectable()
export class AuditLog {
  /** Milliseconds after which a change is kept of which no answer is known: longer than any answer may take. */
  unanswered = 60_000;

  private readonly logger = new Logger('Audit');

  constructor(
    private readonly actors: Actors,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Notes that somebody is about to change something. Rejects when it cannot be stored; then nothing may be changed. If its outcome
   * is never told, because the process ends, the entry is kept without one.
   *
   */
  async open(entry: Omit<AuditEntry, 'at'>): Promise<OpenEntry> {
    const id = `audit:${randomUUID()}`;
    const begun = fitted({ at: new Date(this.clock.now()).toISOString(), ...entry });
    const options = { id, delay: this.unanswered };
    await this.actors.tell(new KeepEntry({ log: LOG, entry: begun }), options);
    const attempt = async (run: () => Promise<unknown>): Promise<void> => {
      try {
        await run();
      } catch (error) {
        this.logger.warn(`the outcome of ${entry.call} is not kept: ${(error as Error).message}`);
      }
    };
    return {
      close: (outcome) => {
        const message = new KeepEntry({ log: LOG, entry: fitted({ ...begun, ...outcome }) });
        return attempt(() => this.actors.tell(message, { id, replace: true }));
      },
      drop: () => attempt(() => this.actors.cancel(id)),
    };
  }

  /**
   * Entries of a filter, newest first: at most `limit`, those older than the one with the id `before` if one is given. They are looked
   * for one after the other, {@link MOST_READ} in a call. What cannot be decrypted is nothing that was looked for.
   */
  async page(filter: AuditFilter, limit: number, before?: string): Promise<FoundEntries> {
    const isSearch = Object.values(filter).some((value) => value !== undefined);
    const items: FoundEntries['items'] = [];
    let last = before;
    for (let read = 0; read < MOST_READ;) {
      // One more than asked for tells whether there is a next page.
      const size = isSearch ? MANY : limit + 1;
      const rows = await this.engine.journal(AUDIT_LOG, LOG, {
        limit: size,
        ...(last !== undefined && { before: last }),
      });
      for (const row of rows) {
        const found = foundIn(row, filter);
        if (found && (!isSearch || 'entry' in found)) {
          if (items.length === limit) return { items, next: last };
          items.push(found);
        }
        last = row.id;
      }
      if (rows.length < size) return { items };
      read += size;
    }
    return { items, next: last };
  }
}

/** What a row holds; undefined for an entry that is not asked for. */
function foundIn({ id, at, row }: JournalRow, filter: AuditFilter): FoundEntry | undefined {
  const problem = unreadable({ data: row });
  if (problem !== undefined) return { id, at, unreadable: problem };
  const entry = row as unknown as AuditEntry;
  const deed = deedAskedFor(entry, filter);
  return deed && { id, entry, deed };
}
