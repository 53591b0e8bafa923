import { setTimeout as sleep } from 'node:timers/promises';
import type { Signal } from '../../engine.js';
import type { Queryable } from './postgres.schema.js';

/** A connection that somebody has for himself, as `pg` and PGlite's adapter give it. */
export interface Session extends Queryable {
  on(event: 'notification', listener: (notice: Notice) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** @param destroy it must not be used again, by nobody */
  release(destroy?: boolean): void;
}

interface Notice {
  channel: string;
  payload?: string;
}

/** The channel of signals: one for all, because a name may be longer than that of a channel. */
export const SIGNALS = 'callsheet_signal';

const CHANNELS = ['callsheet_ended', 'callsheet_cancelled', SIGNALS] as const;

interface Hearer {
  channel: (typeof CHANNELS)[number];
  hear(payload: string): void;
}

/** An open connection, and what gives it back. */
interface Ear {
  session: Session;
  leave(): void;
}

/** How long to wait before connecting again, ms: at first, and at most. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** Storage ids of messages that somebody cancelled and that are still in work. */
const CANCELLED_IN_WORK = `
SELECT id FROM bullmq.job WHERE state = 'active' AND opts ? 'callsheetCancelled'`;

/** A signal as it is told: the length says where a name ends that may have any character. */
export function toPayload({ name, text }: Signal): string {
  return `${name.length} ${name}${text}`;
}

/** What the functions of our schema tell, for whoever listens in this process: one connection, made at the first need. */
export class PostgresNotices {
  private readonly hearers = new Set<Hearer>();
  private ear?: Promise<Ear>;
  private isClosed = false;

  constructor(private readonly connect: () => Promise<Session>) {}

  /** Resolves when nothing that is told from now on is missed, as long as the connection holds. */
  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    const address = `${inbox} `;
    const hear = (payload: string): void => {
      if (payload.startsWith(address)) ended(payload.slice(address.length));
    };
    return this.add({ channel: 'callsheet_ended', hear });
  }

  /** As `listen`; a cancelling that was missed while there was no connection is told when there is one again. */
  onCancel(cancelled: (storageId: string) => void): Promise<() => Promise<void>> {
    return this.add({ channel: 'callsheet_cancelled', hear: cancelled });
  }

  /** As `listen`. */
  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    const address = toPayload({ name, text: '' });
    const hearOwn = (payload: string): void => {
      if (payload.startsWith(address)) hear(payload.slice(address.length));
    };
    return this.add({ channel: SIGNALS, hear: hearOwn });
  }

  /** Gives the connection back. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.hearers.clear();
    const ear = await this.ear?.catch(() => undefined);
    ear?.leave();
  }

  private async add(hearer: Hearer): Promise<() => Promise<void>> {
    this.hearers.add(hearer);
    try {
      await this.open();
    } catch (error) {
      this.hearers.delete(hearer);
      throw error;
    }
    return async () => {
      this.hearers.delete(hearer);
    };
  }

  private open(): Promise<Ear> {
    if (this.ear) return this.ear;
    const ear: Promise<Ear> = this.attach(() => {
      this.forget(ear);
      void this.reopen();
    });
    this.ear = ear;
    ear.catch(() => this.forget(ear));
    return ear;
  }

  private forget(ear: Promise<Ear>): void {
    if (this.ear === ear) this.ear = undefined;
  }

  /** @param lost called once, when the connection breaks after it was open */
  private async attach(lost: () => void): Promise<Ear> {
    const session = await this.connect();
    let [isHeld, isOpen] = [true, false];
    const leave = (): void => {
      if (isHeld) session.release(true);
      isHeld = false;
    };
    session.on('notification', ({ channel, payload }) => this.tell(channel, payload ?? ''));
    session.on('error', () => {
      if (isHeld && isOpen) lost();
      leave();
    });
    try {
      for (const channel of CHANNELS) await session.query(`LISTEN ${channel}`);
      if (this.isClosed) throw new Error('the store is closed');
      isOpen = true;
      return { session, leave };
    } catch (error) {
      leave();
      throw error;
    }
  }

  private async reopen(): Promise<void> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      await sleep(wait, undefined, { ref: false });
      if (this.isClosed) return;
      try {
        const { session } = await this.open();
        const { rows } = await session.query(CANCELLED_IN_WORK);
        for (const { id } of rows) this.tell('callsheet_cancelled', String(id));
        return;
      } catch {
        // Still away.
      }
    }
  }

  private tell(channel: string, payload: string): void {
    for (const hearer of this.hearers) if (hearer.channel === channel) hearer.hear(payload);
  }
}
