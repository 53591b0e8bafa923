import type {
  JournalRow,
  KeyPage,
  KeyRecord,
  KeyState,
  MailboxOptions,
  QuarantinedKey,
  StoredState,
} from '../../engine.js';
import type { KeyedJob } from '../../queues.js';

/** The mailboxes, states and journals of one actor's keys, as a store keeps them beside BullMQ's jobs. */
export interface Mailboxes {
  /** Declares what a consumer knows. Messages that only read and wait in a mailbox leave it. */
  employ(options: MailboxOptions): Promise<void>;
  /** As `Engine.state`. */
  state(key: string): Promise<StoredState | undefined>;
  /** As `Engine.states`. */
  states(page: { after?: string; limit: number }): Promise<KeyState[]>;
  /** As `Engine.journal`. */
  journal(key: string, page: { before?: string; limit: number }): Promise<JournalRow[]>;
  /** As `Engine.keys`. */
  list(page: KeyPage): Promise<KeyRecord[]>;
  /** As `Engine.key`. */
  find(key: string): Promise<KeyRecord | undefined>;
  /** As `ActorQueue.standingBefore`. */
  standingBefore(jobs: readonly KeyedJob[]): Promise<Map<string, number>>;
  /** As `Engine.quarantined`. */
  quarantined(): Promise<QuarantinedKey[]>;
  /** As `Engine.release`. */
  release(key: string): Promise<boolean>;
  /**
   * Mends what an operator, a plain BullMQ client or a crash can leave: mailboxes whose head is gone or stands still,
   * messages that stand in none. Resolves to the keys that were mended, at most a thousand.
   */
  heal(): Promise<string[]>;
}
