import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Nemesis } from './nemesis.js';

/** The most transactions of a writer. */
const MOST = 20_000;
/** Of one transaction. */
const UPDATED = 20;
const INSERTED = 5;

/**
 * Changes the table `source` while it is copied, in two connections: short transactions, and one that begins before all of them and
 * commits late, so that its rows are older than what was committed before them.
 */
export class SyncWriter {
  /** Rows that were added or changed. */
  written = 0;
  /** Pages that were read while the transaction that commits late was open. */
  pagesBeforeLate = 0;
  private readonly late: Client;
  private readonly usual: Client;
  private isOver = false;
  private work: Promise<void> | undefined;

  constructor(
    url: string,
    private readonly rows: number,
    private readonly nemesis: Nemesis,
    private readonly isDeleting: boolean,
  ) {
    this.late = new Client(url);
    this.usual = new Client(url);
  }

  async begin(): Promise<void> {
    await Promise.all([this.late.connect(), this.usual.connect()]);
    await this.late.query('begin');
    await this.late.query(`insert into source values (-1, 1, 'late', clock_timestamp())`);
    await this.change(this.late, [1, 2]);
    await this.change(this.usual, [3, 4]);
    this.work = this.run();
    this.work.catch(() => undefined);
  }

  /** @param pages that were read so far */
  async commitLate(pages: number): Promise<void> {
    await this.late.query('commit');
    this.written += 3;
    this.pagesBeforeLate = pages;
  }

  async end(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    try {
      await this.work;
    } finally {
      await Promise.all([this.late.end(), this.usual.end()]);
    }
  }

  private async run(): Promise<void> {
    for (let n = 1; n <= MOST && !this.isOver; n++) {
      await this.usual.query('begin');
      const ids = Array.from({ length: UPDATED }, () => this.nemesis.between(3, this.rows));
      await this.change(this.usual, ids);
      await this.usual.query(
        `insert into source select $1 + n, n, 'new', clock_timestamp() from generate_series(1, ${INSERTED}) n`,
        [this.rows + n * INSERTED],
      );
      if (this.isDeleting) {
        await this.usual.query('delete from source where id = $1', [ids[0]]);
      }
      // Now and then it commits later than a page takes.
      await delay(n % 10 === 0 ? 200 : 10);
      await this.usual.query('commit');
      this.written += INSERTED + new Set(ids).size;
    }
  }

  private async change(client: Client, ids: readonly number[]): Promise<void> {
    await client.query(
      'update source set n = n + 1, updated_at = clock_timestamp() where id = any($1)',
      [ids],
    );
  }
}
