import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Child } from '../../support/child.js';
import { startApi } from '../../support/deployment.js';
import { eventually } from '../../support/eventually.js';
import { newVapid, type DeviceSubscription } from '../../support/push.peer.js';
import { tempDir } from '../../support/temp.js';
import { ROW_COLUMNS, type FieldOptions } from './actors.js';
import { FieldFollowers } from './followers.js';
import { judge, settled, type Found } from './judge.js';
import { Load, ROOMS, SHOP_SECRET, SLOW, USERS } from './load.js';
import { FieldPeers } from './peers.js';
import { Run } from '../run.js';

export interface FieldRun {
  name: string;
  /** The store. */
  url: string;
  /** Databases with the tables that are copied, from and to. */
  from: string;
  to: string;
  /** How long there is load. */
  seconds: number;
}

const WORKERS = 3;
/** From one kill of a worker to the next, ms. */
const BETWEEN_KILLS = [3_000, 6_000] as const;
const DEVICES = 2;
/** For starts on a busy machine. */
const PATIENCE = { timeout: 60_000 };
const ATTACHMENT = 'invoice.pdf';

/** All scenarios at once over the API, while workers are killed; then what became of everything that was accepted. */
export async function fieldRun({ name, url, from, to, seconds }: FieldRun): Promise<Found> {
  const run = new Run(name);
  const files = tempDir();
  const signups = path.join(files, 'signups.csv');
  writeFileSync(path.join(files, ATTACHMENT), 'an invoice, nearly');
  writeFileSync(signups, 'id,email,name\n');
  const [source, target] = [new Client(from), new Client(to)];
  const peers = await FieldPeers.start();
  try {
    await Promise.all([source.connect(), target.connect()]);
    await source.query(`create table source (${ROW_COLUMNS})`);
    await source.query('create index on source (updated_at, id)');
    await target.query(`create table target (${ROW_COLUMNS})`);
    const vapid = newVapid();
    const field: FieldOptions = { hook: `${peers.http.url}/heard`, from, to };
    const env = {
      ...{ ...vapid, NODE_EXTRA_CA_CERTS: peers.push.caFile, WEBHOOK_ALLOW: '127.0.0.1' },
      ...{ SMTP_URL: peers.smtp.url, EMAIL_RETRY_DELAY: '100ms', WEBHOOK_RETRY_DELAY: '100ms' },
      ...{ MAIL_ATTACHMENTS: files, MAIL_RATES: `${SLOW}=10/s`, SIGNUPS_FILE: signups },
    };
    const start = () => run.start('field/worker.js', { url, field }, env);
    const { api } = await startApi(url, { HOOK_SECRETS: `shop=${SHOP_SECRET}` });
    const workers = Array.from({ length: WORKERS }, start);

    const followers = new FieldFollowers(api.url, ROOMS);
    await followers.seated();
    const devices = await subscribed(peers, vapid.VAPID_PUBLIC_KEY, api.url);
    await eventually(() => {
      alive(workers);
      return workers.every(isReady);
    }, PATIENCE);
    const load = new Load({
      ...{ url: api.url, peers, source, signups },
      attachment: ATTACHMENT,
    });
    const began = performance.now();
    const until = began + seconds * 1_000;
    const loading = load.run(seconds);
    // It is awaited after the kills.
    loading.catch(() => undefined);
    for (;;) {
      const pause = run.nemesis.between(...BETWEEN_KILLS);
      if (performance.now() + pause > until) break;
      await delay(pause);
      alive(workers);
      // One that is not at work yet has nothing to lose.
      const ready = workers.filter(isReady);
      const victim = ready[run.nemesis.between(0, ready.length - 1)];
      if (!victim) continue;
      await run.down(victim, 'kill -9');
      workers[workers.indexOf(victim)] = start();
      await followers.move();
    }
    await loading;
    const loaded = (performance.now() - began) / 1_000;
    const what = { ...{ name, load, peers, followers, devices, api, url }, source, target };
    await settled(what, () => alive(workers));
    const found = await judge(what, {
      ...{ settled: (performance.now() - began) / 1_000, loaded },
      kills: run.events().filter(({ kind }) => kind === 'fault').length,
      seed: run.nemesis.seed,
    });
    for (const worker of workers) await run.down(worker, 'SIGTERM');
    run.forget();
    return found;
  } finally {
    await run.end();
    await Promise.allSettled([source.end(), target.end()]);
  }
}

/**
 * Gives each user its devices, and one more that is gone.
 *
 * @returns those that are there
 */
async function subscribed(
  { push }: FieldPeers,
  key: string,
  url: string,
): Promise<Map<string, DeviceSubscription[]>> {
  const devices = new Map<string, DeviceSubscription[]>();
  for (const user of USERS) {
    const gone = push.subscribe(key);
    push.unsubscribe(gone.endpoint);
    const there = Array.from({ length: DEVICES }, () => push.subscribe(key));
    devices.set(user, there);
    const messages = [gone, ...there].map((subscription) => ({
      type: 'push.save',
      data: { user, subscription },
    }));
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ messages });
    const { status } = await fetch(`${url}/v1/messages:batch`, { method: 'POST', headers, body });
    assert.equal(status, 202);
  }
  return devices;
}

function isReady({ stdout }: Child): boolean {
  return stdout.includes('field worker ready');
}

function alive(workers: readonly Child[]): void {
  for (const { running, output } of workers) {
    assert(running, `a process ended by itself:\n${output}`);
  }
}
