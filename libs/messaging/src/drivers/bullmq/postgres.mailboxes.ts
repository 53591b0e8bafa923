import type { Carried } from '../../codec.js';
import type {
  AttemptRecord,
  JournalRow,
  KeyOrder,
  KeyPage,
  KeyRecord,
  KeyState,
  MailboxOptions,
  QuarantinedKey,
  StoredState,
} from '../../engine.js';
import { MOST_BEFORE, type KeyedJob } from '../../queues.js';
import type { Mailboxes } from './mailboxes.js';
import { retryLost, retryTransient } from './postgres.retry.js';
import type { Queryable } from './postgres.schema.js';

/**
 * Keys with messages: depth of the mailbox, when its first could first be handled, whether it is quarantined.
 *
 * $1 queue, $2 how many at most, $3 the one that is asked for, null for all
 */
const mailboxesBy = (order: string): string => `
SELECT m.key, m.depth, (q.key IS NOT NULL) AS quarantined,
       COALESCE((j.opts->'callsheet'->>'dueAt')::bigint, j.added_at_ms) AS since
  FROM (SELECT key, count(*) AS depth, min(arrival) AS first FROM callsheet.mailbox
         WHERE queue = $1 AND ($3::text IS NULL OR key = $3)
         GROUP BY key ORDER BY ${order} LIMIT $2) AS m
  JOIN callsheet.mailbox h ON h.queue = $1 AND h.key = m.key AND h.arrival = m.first
  LEFT JOIN bullmq.job j ON j.queue = $1 AND j.id = h.id
  LEFT JOIN callsheet.quarantine q ON q.queue = $1 AND q.key = m.key
 ORDER BY ${order}`;
const MAILBOXES: Record<KeyOrder, string> = {
  age: mailboxesBy('first'),
  depth: mailboxesBy('depth DESC, first'),
};

/** States of keys, in the order of bytes. $1 queue, $2 the key after which to begin, '' for the beginning, $3 how many at most */
const STATES = `
SELECT key, revision::text, version, value FROM callsheet.state
 WHERE queue = $1 AND key > $2 ORDER BY key LIMIT $3`;

/** Rows of a journal, newest first. $1 queue, $2 key, $3 id before which to begin, $4 how many at most */
const JOURNAL = `
SELECT id::text AS place, at::text, entry FROM callsheet.journal
 WHERE queue = $1 AND key = $2 AND id < $3 ORDER BY id DESC LIMIT $4`;

/** Before which all rows stand. */
const LAST_ROW = '9223372036854775807';

/** How many stand before messages in their mailboxes. $1 queue, $2 ids, $3 how many are counted at most */
const STANDING = `
SELECT m.id, (SELECT count(*) FROM
         (SELECT FROM callsheet.mailbox b
           WHERE b.queue = m.queue AND b.key = m.key AND b.arrival < m.arrival LIMIT $3) AS earlier) AS before
  FROM callsheet.mailbox m WHERE m.queue = $1 AND m.id = ANY ($2::text[])`;

/** Quarantined keys. $1 queue */
const QUARANTINED = `
SELECT q.*, (SELECT count(*) FROM callsheet.mailbox m WHERE m.queue = q.queue AND m.key = q.key) AS depth
  FROM callsheet.quarantine q WHERE q.queue = $1 ORDER BY q.key`;

/** Those of one queue. */
export class PostgresMailboxes implements Mailboxes {
  constructor(
    private readonly pool: Queryable,
    private readonly queue: string,
  ) {}

  async state(key: string): Promise<StoredState | undefined> {
    // Read between the claim of a message and its turn: without an answer the message would stay claimed.
    const { rows } = await retryLost(() =>
      this.pool.query(
        'SELECT revision::text, version, value FROM callsheet.state WHERE queue = $1 AND key = $2',
        [this.queue, key],
      ),
    );
    const [row] = rows;
    return row && toState(row);
  }

  async states({ after = '', limit }: { after?: string; limit: number }): Promise<KeyState[]> {
    const rows = await this.rows(STATES, [this.queue, after, limit]);
    return rows.map((row) => ({ key: String(row['key']), state: toState(row) }));
  }

  async journal(
    key: string,
    { before, limit }: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    const end = before?.split('-')[1] ?? LAST_ROW;
    const rows = await this.rows(JOURNAL, [this.queue, key, end, limit]);
    return rows.map(({ place, at, entry }) => ({
      id: `${String(at)}-${String(place)}`,
      at: Number(at),
      row: entry as JournalRow['row'],
    }));
  }

  async employ({ reads, mailbox }: MailboxOptions): Promise<void> {
    if (!reads && mailbox === undefined) return;
    if (mailbox === Infinity) {
      await this.rows("DELETE FROM callsheet.trait WHERE queue = $1 AND name = 'mailbox'", [
        this.queue,
      ]);
    }
    await this.rows('SELECT callsheet.employ($1, $2, $3::text[])', [
      this.queue,
      mailbox === Infinity ? undefined : mailbox,
      reads && [...reads],
    ]);
  }

  list({ by, limit }: KeyPage): Promise<KeyRecord[]> {
    return this.records(by, limit, null);
  }

  async find(key: string): Promise<KeyRecord | undefined> {
    return (await this.records('age', 1, key))[0];
  }

  private async records(by: KeyOrder, limit: number, key: string | null): Promise<KeyRecord[]> {
    const rows = await this.rows(MAILBOXES[by], [this.queue, limit, key]);
    return rows.map(({ key: name, depth, since, quarantined }) => ({
      key: String(name),
      depth: Number(depth),
      since: Number(since),
      isQuarantined: quarantined === true,
    }));
  }

  async standingBefore(jobs: readonly KeyedJob[]): Promise<Map<string, number>> {
    const ids = jobs.map(({ id }) => id);
    const rows = await this.rows(STANDING, [this.queue, ids, MOST_BEFORE]);
    return new Map(rows.map(({ id, before }) => [String(id), Number(before)]));
  }

  async quarantined(): Promise<QuarantinedKey[]> {
    const rows = await this.rows(QUARANTINED, [this.queue]);
    return rows.map(({ key, since, storage_id: storageId, attempt, depth }) => ({
      key: String(key),
      since: Number(since),
      storageId: String(storageId),
      attempt: attempt as AttemptRecord,
      depth: Number(depth),
    }));
  }

  async release(key: string): Promise<boolean> {
    const [row] = await this.rows('SELECT callsheet.release($1, $2) AS released', [
      this.queue,
      key,
    ]);
    return row?.['released'] === true;
  }

  async heal(): Promise<string[]> {
    const rows = await this.rows('SELECT DISTINCT callsheet.heal($1) AS key', [this.queue]);
    return rows.map(({ key }) => String(key));
  }

  private async rows(text: string, params: unknown[]): Promise<Record<string, unknown>[]> {
    return (await retryTransient(() => this.pool.query(text, params))).rows;
  }
}

function toState({ revision, version, value }: Record<string, unknown>): StoredState {
  return { ...(value as Carried), revision: Number(revision), version: Number(version) };
}
