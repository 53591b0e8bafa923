import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import type { StoreInfo } from '../../engine.js';
import { StoreError } from '../../messaging.errors.js';
import { lockFolder } from './pglite.lock.js';
import { PglitePool } from './pglite.pool.js';
import { SqlStore, type PoolLike } from './sql.store.js';
import { withinTime } from '../../within.time.js';

/**
 * Nobody else has the store: what is in work in it was that of a process which is gone. BullMQ's next sweep, at the start of a worker,
 * takes what is marked and whose lock has run out, and counts the crash.
 */
const ABANDONED = `
UPDATE bullmq.job SET locked_until_ms = 0, stalled_marked = true WHERE state = 'active';
DELETE FROM bullmq.meta WHERE field = 'stalled-check';`;

/** PostgreSQL embedded in this process; its files survive the process, not a power cut: PGlite never syncs them. */
export class PgliteStore extends SqlStore {
  readonly info: StoreInfo = {
    name: 'PGlite (embedded)',
    durability: 'process-safe',
    shared: false,
    sql: true,
  };
  private database?: PGlite;
  private unlock?: () => void;
  private adapter?: PoolLike;

  protected get pool(): PoolLike {
    if (!this.adapter) throw new StoreError('the embedded store is not open');
    return this.adapter;
  }

  async open(): Promise<void> {
    const folder = this.options.url.slice('pglite:'.length);
    try {
      this.unlock = lockFolder(folder);
      const data = join(folder, 'callsheet-data');
      const mark = `${data}.complete`;
      // A process may die while it makes the database: what has no mark is put aside, and made again.
      const isNew = !existsSync(mark);
      if (isNew && existsSync(data)) renameSync(data, `${data}.incomplete-${Date.now()}`);
      this.database = await PGlite.create({
        dataDir: data,
        // A ready-made empty database takes a third of the time of making one.
        ...(isNew && { loadDataDir: await dataDir() }),
      });
      this.adapter = new PglitePool(this.database);
      await this.database.exec('SET search_path TO bullmq');
      await this.prepare();
      await this.database.exec(ABANDONED);
      if (isNew) writeFileSync(mark, '');
    } catch (error) {
      await this.close();
      if (error instanceof StoreError) throw error;
      throw new StoreError(
        `cannot open the embedded store in ${folder}: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  async close(): Promise<void> {
    await this.leave();
    if (this.database) await withinTime(5_000, this.database.close());
    this.database = this.adapter = undefined;
    this.unlock?.();
    this.unlock = undefined;
  }
}
