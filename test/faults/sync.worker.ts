// A process of its own that copies a table, until it is told to stop, or killed.
// Usage: node sync.worker.js '<SyncWorkerOptions as JSON>'
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallsheetModule, launch } from '../../libs/messaging/src/index.js';
import {
  Pipeline,
  postgresReplication,
  postgresTable,
  postgresUpsert,
  SyncModule,
  type Source,
} from '../../libs/sync/src/index.js';
import { Ledger } from './ledger.js';

export interface SyncWorkerOptions {
  /** The store. */
  url: string;
  /** Database with the table `source`. */
  source: string;
  /** Database with the table `target`; undefined: that of the store. */
  sink?: string;
  /** Read a replication slot in place of the table; a backfill copies what is there. */
  isReplicated?: boolean;
  /** Rows of a page. */
  page: number;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
  /** Where each page is written down. */
  ledger: string;
}

const options = JSON.parse(process.argv[2] ?? '') as SyncWorkerOptions;
const ledger = new Ledger(options.ledger);

function sourceOf({ source: url, isReplicated }: SyncWorkerOptions): Source {
  if (!isReplicated) return postgresTable({ url, table: 'source' });
  const names = { table: 'source', publication: 'copy', slot: 'copy' };
  return postgresReplication({ url, ...names, createSlot: true });
}

@Pipeline({
  name: 'copy',
  every: '1s',
  page: options.page,
  retry: { attempts: 100, delay: '100ms', factor: 1 },
})
export class Copy {
  private readonly source = sourceOf(options);
  readonly from: Source = {
    pull: (cursor, pull) => {
      const rss = Math.round(process.resourceUsage().maxRSS / 1024);
      ledger.write({ kind: 'page', rss });
      return this.source.pull(cursor, pull);
    },
    close: () => this.source.close?.() ?? Promise.resolve(),
  };
  readonly to = postgresUpsert({
    table: 'target',
    deleted: '_deleted',
    // Changes of a slot come in order.
    ...(!options.isReplicated && { version: 'updated_at' }),
    ...(options.sink !== undefined && { url: options.sink }),
  });
}

@Module({
  imports: [CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock }), SyncModule],
  providers: [Copy],
})
class WorkerModule {}

await launch((settings) => NestFactory.createApplicationContext(WorkerModule, settings));
