// A process of its own that copies a table, until it is told to stop, or killed.
// Usage: node sync.worker.js '<SyncWorkerOptions as JSON>'
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallsheetModule, launch } from '../../libs/messaging/src/index.js';
import {
  Pipeline,
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
  /** Rows of a page. */
  page: number;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
  /** Where each page is written down. */
  ledger: string;
}

const options = JSON.parse(process.argv[2] ?? '') as SyncWorkerOptions;
const ledger = new Ledger(options.ledger);

@Pipeline({
  name: 'copy',
  every: '1s',
  page: options.page,
  retry: { attempts: 100, delay: '100ms', factor: 1 },
})
export class Copy {
  private readonly table = postgresTable({ url: options.source, table: 'source' });
  readonly from: Source = {
    pull: (cursor, pull) => {
      const rss = Math.round(process.resourceUsage().maxRSS / 1024);
      ledger.write({ kind: 'page', rss });
      return this.table.pull(cursor, pull);
    },
    close: () => this.table.close?.() ?? Promise.resolve(),
  };
  readonly to = postgresUpsert({
    table: 'target',
    version: 'updated_at',
    ...(options.sink !== undefined && { url: options.sink }),
  });
}

@Module({
  imports: [CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock }), SyncModule],
  providers: [Copy],
})
class WorkerModule {}

await launch((settings) => NestFactory.createApplicationContext(WorkerModule, settings));
