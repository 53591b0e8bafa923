import {
  Actors,
  CLOCK,
  ENGINE,
  type Clock,
  type Engine,
  type JournalRow,
} from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AUDIT_LOG, KeepEntry, LOG } from './audit.actor.js';
import { fitted, type AuditEntry } from './audit.entry.js';

/** An entry whose outcome is not known. */
export interface OpenEntry {
  /** Has it kept, with its outcome. Never rejects: it is kept without one, later. */
  close(outcome: Partial<AuditEntry>): Promise<void>;
  /** Nothing was changed: it is not kept. Never rejects. */
  drop(): Promise<void>;
}

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

  /** Entries, newest first: at most `limit`, those older than the one with the id `before` if one is given. */
  list(page: { before?: string; limit: number }): Promise<JournalRow[]> {
    return this.engine.journal(AUDIT_LOG, LOG, page);
  }
}
