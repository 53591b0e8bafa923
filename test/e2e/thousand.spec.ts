import { Redis } from 'ioredis';
import { Webhook } from 'standardwebhooks';
import { beforeAll, expect, it } from 'vitest';
import { mailTo, webhookTo, type ApiClient, type Sending } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { startApi, startWorker } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import {
  startHttpPeer,
  webhookIdOf,
  type HttpPeer,
  type ReceivedRequest,
} from '../support/http.peer.js';
import { startRedis } from '../support/redis.server.js';
import { mailIdOf, startSmtpPeer, type SmtpPeer } from '../support/smtp.peer.js';

const LANES: Record<string, number> = { critical: 1, high: 10, normal: 100, low: 1_000 };
/** Lanes and numbers, some equal to a lane; undefined is the default, 'normal'. */
const PRIORITIES = ['low', 'normal', 5, 'critical', 1_000, undefined, 'high', 10, 2_097_152, 1];

/** One for each worker: a signature tells who delivered. */
const SECRETS = ['one', 'two'].map(
  (worker) => `whsec_${Buffer.alloc(32, worker).toString('base64')}`,
);

/** A message that was accepted, in the order of acceptance. */
interface Accepted extends Sending {
  id: string;
}

serverSuite('redis-server', 'a thousand messages, Redis, two workers', () => {
  let api: ApiClient;
  let store: string;
  let http: HttpPeer;
  let smtp: SmtpPeer;
  const accepted: Accepted[] = [];

  beforeAll(async () => {
    [{ url: store }, http, smtp] = await Promise.all([
      startRedis({ appendonly: true }),
      startHttpPeer(),
      startSmtpPeer(),
    ]);
    ({ api } = await startApi(store));
  });

  it('are all accepted while nobody works', async () => {
    const sendings = Array.from({ length: 1_000 }, (_, n) => sending(n, http.url));
    for (const one of sendings.slice(0, 300)) accepted.push({ ...one, ...(await api.tell(one)) });
    for (let from = 300; from < 1_000; from += 100) {
      const batch = sendings.slice(from, from + 100);
      const receipts = await api.tellMany(batch);
      batch.forEach((one, n) => accepted.push({ ...one, id: receipts[n]?.id ?? '' }));
    }
    const { items } = await api.actors();
    const waiting = Object.fromEntries(items.map(({ name, counts }) => [name, counts.waiting]));
    expect(waiting).toMatchObject({
      account: 0,
      chat: 0,
      email: of(accepted, 'email.send').length,
      heartbeat: 0,
      webhook: of(accepted, 'webhook.deliver').length,
    });
  });

  it('are done exactly once each, as the peers see it', async () => {
    // Slow enough that both have started before all is done.
    http.answer({ status: 204, delay: 500 });
    await Promise.all(
      SECRETS.map((secret) => startWorker(store, { SMTP_URL: smtp.url, WEBHOOK_SECRET: secret })),
    );
    for (const type of ['email.send', 'webhook.deliver'] as const) {
      const idle = { waiting: 0, delayed: 0, active: 0, dead: 0 };
      await eventually(
        async () => {
          const { counts } = await api.actor(type.split('.')[0] ?? '');
          expect(counts).toEqual({ ...idle, done: of(accepted, type).length });
        },
        { timeout: 40_000, interval: 100 },
      );
    }
    expect(http.requests.map(webhookIdOf).sort()).toEqual(of(accepted, 'webhook.deliver').sort());
    expect(smtp.mails.map(mailIdOf).sort()).toEqual(of(accepted, 'email.send').sort());
    expect((await api.deadLetters()).items).toEqual([]);
    expect(
      SECRETS.map((secret) => http.requests.some((request) => isSignedBy(secret, request))),
    ).toEqual([true, true]);
  });

  it('started by priority, and first in, first out within one', async () => {
    const redis = new Redis(store);
    for (const type of ['email.send', 'webhook.deliver'] as const) {
      const started = await startsOf(redis, type.split('.')[0] ?? '');
      expect(started).toEqual(of(accepted.toSorted(byPriority), type));
    }
    redis.disconnect();
  });
});

/** Two of three are webhooks, to an endpoint each: within one they would be in order, whatever their priority. Seven and ten, and three, share no factor, so that every kind has every priority. */
function sending(n: number, url: string): Sending {
  const priority = PRIORITIES[(n * 7) % PRIORITIES.length];
  return {
    ...(n % 3 === 0 ? mailTo('ada@example.org', `${n}`) : webhookTo(`${url}/${n}`, `event.${n}`)),
    ...(priority !== undefined && { priority }),
  };
}

function of(messages: Accepted[], type: Sending['type']): string[] {
  return messages.filter((message) => message.type === type).map(({ id }) => id);
}

/** `toSorted` is stable: equal priorities stay in the order of acceptance. */
function byPriority(a: Accepted, b: Accepted): number {
  return numberOf(a) - numberOf(b);
}

function numberOf({ priority = 'normal' }: Accepted): number {
  return typeof priority === 'number' ? priority : (LANES[priority] ?? NaN);
}

function isSignedBy(secret: string, { body, headers }: ReceivedRequest): boolean {
  try {
    new Webhook(secret).verify(body.toString(), headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

/** The jobs of a queue in the order in which Redis gave them to workers, from BullMQ's event stream. */
async function startsOf(redis: Redis, queue: string): Promise<string[]> {
  const entries = await redis.xrange(`{callsheet}:${queue}:events`, '-', '+');
  return entries.flatMap(([, fields]) => {
    const event = Object.fromEntries(
      fields.flatMap((name, n) => (n % 2 === 0 ? [[name, fields[n + 1] ?? '']] : [])),
    ) as Record<string, string>;
    return event['event'] === 'active' ? [event['jobId'] ?? ''] : [];
  });
}
