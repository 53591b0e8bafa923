import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CallsheetModule } from '@callsheet/messaging';
import { SyncModule } from '@callsheet/sync';
import { NestFactory } from '@nestjs/core';
import { Client } from 'pg';
import { FieldOptions, RelayActor, ROW_COLUMNS, RowsSync } from '../faults/field/actors.js';
import type { ApiClient } from '../support/api.client.js';
import { atEnd } from '../support/cleanup.js';
import { startApi, startWorker } from '../support/deployment.js';
import { startHttpPeer, type HttpPeer } from '../support/http.peer.js';
import type { PostgresServer } from '../support/postgres.server.js';
import { newVapid, startPushPeer, type PushPeer } from '../support/push.peer.js';
import { startSmtpPeer, type SmtpPeer } from '../support/smtp.peer.js';
import { tempDir } from '../support/temp.js';
import { workerEnv } from './message.life.js';

/** What a mail may have attached, by its name in the folder. */
export const INVOICE = { ref: 'invoices/7.pdf', content: 'an invoice, nearly' };
/** With which the shop signs its webhooks. */
export const SHOP_SECRET = `whsec_${Buffer.alloc(32, 'shop').toString('base64')}`;

/** All that a deployment has around it. */
export interface FieldStage {
  readonly api: ApiClient;
  /** The API of another process. */
  readonly other: ApiClient;
  readonly smtp: SmtpPeer;
  readonly push: PushPeer;
  /** With which devices subscribe. */
  readonly vapidKey: string;
  /** Where the relay tells of what it has heard. */
  readonly heard: HttpPeer;
  /** CSV of sign-ups. */
  readonly signups: string;
  /** Databases with the table `source` and the table `target`. */
  readonly source: Client;
  readonly target: Client;
}

/**
 * Two APIs and two workers on a store that they share: that of apps/worker as a process of its own, and one with a user's actors
 * in this process.
 *
 * @param url of the store
 * @param rows where rows are copied
 */
export async function startField(url: string, rows: PostgresServer): Promise<FieldStage> {
  const files = tempDir();
  mkdirSync(path.join(files, path.dirname(INVOICE.ref)));
  writeFileSync(path.join(files, INVOICE.ref), INVOICE.content);
  const [smtp, push, heard] = await Promise.all([
    startSmtpPeer(),
    startPushPeer(),
    startHttpPeer(),
  ]);
  const [from, to] = [await rows.createDatabase(), await rows.createDatabase()];
  const vapid = newVapid();
  const signups = path.join(files, 'signups.csv');
  const api = () => startApi(url, { HOOK_SECRETS: `shop=${SHOP_SECRET}` });
  const [one, two, source, target] = await Promise.all([
    api(),
    api(),
    opened(from, `create table source (${ROW_COLUMNS})`),
    opened(to, `create table target (${ROW_COLUMNS})`),
    startWorker(url, {
      ...{ ...workerEnv(smtp), ...vapid, NODE_EXTRA_CA_CERTS: push.caFile },
      ...{ MAIL_ATTACHMENTS: files, SIGNUPS_FILE: signups },
    }),
    startOwn(url, new FieldOptions(heard.url, from, to)),
  ]);
  return {
    ...{ api: one.api, other: two.api, smtp, push, vapidKey: vapid.VAPID_PUBLIC_KEY },
    ...{ heard, signups, source, target },
  };
}

async function startOwn(url: string, options: FieldOptions): Promise<void> {
  class OwnModule {}
  const module = {
    module: OwnModule,
    imports: [CallsheetModule.forRoot({ url }), SyncModule],
    providers: [RelayActor, RowsSync, { provide: FieldOptions, useValue: options }],
  };
  const app = await NestFactory.createApplicationContext(module, {
    logger: false,
    abortOnError: false,
  });
  atEnd(() => app.close());
}

async function opened(url: string, statement: string): Promise<Client> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  atEnd(() => client.end());
  await client.query(statement);
  return client;
}
