import { describe, expect, it } from 'vitest';
import { mailTo, webhookTo, type ApiClient } from '../support/api.client.js';
import type { AppProcess } from '../support/app.process.js';
import { serverSuite, type Binary } from '../support/available.js';
import { startApi, startStandalone, startWorker } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import { startHttpPeer, webhookIdOf, type HttpPeer } from '../support/http.peer.js';
import { startPostgres, type PostgresServer } from '../support/postgres.server.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import { mailIdOf, startSmtpPeer } from '../support/smtp.peer.js';

type Store = RedisServer | PostgresServer;

const FAST = { WEBHOOK_RETRY_DELAY: '10ms', EMAIL_RETRY_DELAY: '10ms' };
/** A turn whose process died is given out again within ten seconds; the rest is patience with a busy machine. */
const RECOVERY = 20_000;

/** Stores that several processes share, each as safe as its server can be; every test starts one of its own. */
const SHARED: { binary: Binary; name: string; start: () => Promise<Store> }[] = [
  {
    binary: 'redis-server',
    name: 'Redis',
    start: () => startRedis({ appendonly: true, args: ['--appendfsync', 'always'] }),
  },
  {
    binary: 'postgres',
    name: 'PostgreSQL',
    start: () => startPostgres({ args: ['-c', 'fsync=on'] }),
  },
];

// Most of each is waiting, so they wait at the same time.
describe.concurrent('what survives', { timeout: 180_000 }, () => {
  it('embedded store: every message, over kill -9 in the middle of work', async () => {
    const [http, smtp] = await Promise.all([startHttpPeer(), startSmtpPeer()]);
    // None of those that get no answer is given up before all have come.
    const env = { ...FAST, SMTP_URL: smtp.url, WEBHOOK_TIMEOUT_MS: '60000' };
    const first = await startStandalone(env);

    http.answer(({ url }) => (url === '/gone' ? { status: 410 } : 'silence'));
    const gone = await first.api.tell(webhookTo(`${http.url}/gone`));
    await first.api.until(gone.id, 'dead');
    const sent = await first.api.tellMany([
      ...times(19, (n) => webhookTo(`${http.url}/${n}`)),
      ...times(10, () => ({ ...webhookTo(`${http.url}/later`), delay: 2_000 })),
      ...times(5, () => mailTo('ada@example.org')),
      ...times(5, () => ({ ...mailTo('bob@example.org'), delay: 2_000 })),
    ]);
    // The one that is dead and those of nineteen endpoints, all of which are being handled; some of those due later may be too.
    await eventually(
      async () => {
        const reached = new Set(
          http.requests.map(({ url }) => url).filter((url) => url !== '/later'),
        );
        const { counts } = await first.api.actor('webhook');
        expect([reached.size, counts.active >= 19]).toEqual([20, true]);
      },
      { timeout: 60_000 },
    );
    await first.app.kill9();

    http.answer({ status: 204 });
    const { api } = await startStandalone(env, first.app.cwd);
    for (const { id } of sent) await api.until(id, 'done', RECOVERY);
    expect(await api.message(gone.id)).toMatchObject({ state: 'dead', reason: 'rejected' });
    expect((await api.deadLetters()).items).toHaveLength(1);

    const seen = [...http.requests.map(webhookIdOf), ...smtp.mails.map(mailIdOf)];
    const once = new Set(seen);
    expect([...once].sort()).toEqual([gone, ...sent].map(({ id }) => id).sort());
    const twice = seen.length - once.size;
    console.log(`kill -9 of the embedded store: ${sent.length + 1} messages, ${twice} seen twice`);
  });

  it('embedded store: a running turn, over SIGTERM', async () => {
    const peer = await startHttpPeer();
    peer.answer({ status: 204, delay: 1_000 });
    const { app, api } = await startStandalone(FAST);
    const id = await sendAndReach(api, peer);
    expect(await endOf(app)).toBe('by itself');

    const again = await startStandalone(FAST, app.cwd);
    expect(await again.api.message(id)).toMatchObject({ state: 'done', attempts: [] });
    expect(peer.requests).toHaveLength(1);
  });

  for (const { binary, name, start } of SHARED) {
    serverSuite(binary, `${name}, workers as processes of their own`, () => {
      it('a turn whose worker is killed goes to the other', async () => {
        const [{ url: store }, peer] = await Promise.all([start(), startHttpPeer()]);
        peer.answerNext('silence');
        const env = { ...FAST, WEBHOOK_TIMEOUT_MS: '60000' };
        const [{ api }, victim] = await Promise.all([startApi(store), startWorker(store, env)]);
        const id = await sendAndReach(api, peer);
        await startWorker(store, env);
        await victim.kill9();

        expect(await api.until(id, 'done', RECOVERY)).toMatchObject({ attempts: [], redrives: 0 });
        expect(peer.requests.map(webhookIdOf)).toEqual([id, id]);
      });

      it('a running turn ends before its worker does, over SIGTERM', async () => {
        const [{ url: store }, peer] = await Promise.all([start(), startHttpPeer()]);
        peer.answer({ status: 204, delay: 1_000 });
        const [{ api }, worker] = await Promise.all([startApi(store), startWorker(store, FAST)]);
        const id = await sendAndReach(api, peer);
        expect(await endOf(worker)).toBe('by itself');

        expect(await api.message(id)).toMatchObject({ state: 'done', attempts: [] });
        expect(peer.requests).toHaveLength(1);
      });

      it('processes end by themselves when the store is gone', async () => {
        const store = await start();
        const [{ app }, worker] = await Promise.all([startApi(store.url), startWorker(store.url)]);
        await store.kill();
        const ends = await Promise.all([endOf(app), endOf(worker)]);
        expect(ends).toEqual(['by itself', 'by itself']);
      });

      it('what was accepted is handled after kill -9 of the store, without a restart of any process', async () => {
        const [store, peer] = await Promise.all([start(), startHttpPeer()]);
        const [{ api }] = await Promise.all([startApi(store.url), startWorker(store.url, FAST)]);
        const ready = async () => (await api.request('GET', '/health/ready')).status;
        peer.answer({ status: 204, delay: 200 });
        const accepted = await api.tellMany([
          ...times(40, (n) => webhookTo(`${peer.url}/${n % 10}`)),
          ...times(10, (n) => ({ ...webhookTo(`${peer.url}/${n}`), delay: 1_000 })),
        ]);
        await eventually(() => peer.requests.length > 0);
        await store.kill();

        const asked = performance.now();
        const { status, body } = await api.request('POST', '/v1/messages', webhookTo(peer.url));
        expect(performance.now() - asked).toBeLessThan(10_000);
        expect(status).toBe(503);
        expect(['unknown_outcome', 'store_unusable', 'timeout']).toContain(body.code);
        expect(await ready()).toBe(503);

        await store.restart();
        await eventually(async () => (await ready()) === 200);
        const sent = [...accepted, await api.tell(webhookTo(peer.url))];
        for (const { id } of sent) await api.until(id, 'done', RECOVERY);
        const seen = new Set(peer.requests.map(webhookIdOf));
        expect(sent.filter(({ id }) => !seen.has(id))).toEqual([]);
        expect((await api.actor('webhook')).counts.dead).toBe(0);
      });
    });
  }
});

/** Sends a webhook and waits until its turn has reached the peer; resolves to the id. */
async function sendAndReach(api: ApiClient, peer: HttpPeer): Promise<string> {
  const { id } = await api.tell(webhookTo(peer.url));
  await eventually(() => peer.requests.length === 1);
  return id;
}

/** How a process ends that gets a SIGTERM: it has thirty seconds before it is killed. */
async function endOf(app: AppProcess): Promise<'by itself' | 'killed'> {
  const { signal } = await app.stop('SIGTERM', 30_000);
  return signal === 'SIGKILL' ? 'killed' : 'by itself';
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
