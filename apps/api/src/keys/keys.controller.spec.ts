import { Actor, Handle, Message, QuarantineError, type Turn } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { send, stageForTest } from '../../test/stage.js';
import type { JournalPage, KeyList, KeyView } from './key.view.js';

class Put extends Message('vault.put', z.strictObject({ vault: z.string(), coins: z.int() }), {
  key: 'vault',
}) {}

const Coins = z.object({ coins: z.int().default(0), since: z.date().optional() });

class Lock extends Message('lock.set', z.object({ door: z.string(), code: z.string() }), {
  key: 'door',
}) {}
const Codes = z.object({ codes: z.array(z.object({ code: z.string() })).default([]) });

@Actor({ state: { schema: Codes, secret: ['codes.code', 'code'] } })
class LockActor {
  @Handle(Lock)
  set({ code }: Lock, turn: Turn<typeof Codes>): void {
    turn.state.codes.push({ code });
    turn.journal({ code, changed: turn.state.codes.length });
  }
}

/** Coins below 0 quarantine their vault until it is mended; 13 of them take until the door opens. */
@Actor({ state: Coins, retry: { attempts: 5 } })
class Vault {
  static mended = false;
  static open: () => void;
  static door: Promise<void>;

  @Handle(Put)
  async put({ coins }: Put, turn: Turn<typeof Coins>): Promise<void> {
    if (coins === 13) await Vault.door;
    if (coins < 0 && !Vault.mended) throw new QuarantineError('a coin is missing');
    turn.state.coins += Math.abs(coins);
    turn.journal({ coins });
    turn.state.since ??= new Date(0);
  }
}

beforeEach(() => {
  Vault.mended = false;
  Vault.door = new Promise((resolve) => (Vault.open = resolve));
});

async function stage(): Promise<NestFastifyApplication> {
  return stageForTest({ providers: [Vault, LockActor] });
}

const put = (app: NestFastifyApplication, vault: string, coins: number) =>
  send(app, { type: 'vault.put', data: { vault, coins } });

const at = (key: string) => `/v1/actors/vault/keys/${encodeURIComponent(key)}`;

async function list(app: NestFastifyApplication, query = ''): Promise<KeyList> {
  const response = await app.inject({ url: `/v1/actors/vault/keys${query}` });
  expect(response.statusCode).toBe(200);
  return response.json<KeyList>();
}

async function get(app: NestFastifyApplication, key: string): Promise<KeyView> {
  const response = await app.inject({ url: at(key) });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<KeyView>();
}

/** Of a key, so far; 404 counts as none. */
async function coinsOf(app: NestFastifyApplication, key: string): Promise<number> {
  const { state } = (await app.inject({ url: at(key) })).json<{ state?: KeyView['state'] }>();
  return (state?.data as { coins: number } | undefined)?.coins ?? 0;
}

const release = (app: NestFastifyApplication, key: string) =>
  app.inject({ method: 'POST', url: `${at(key)}/release` });

describe('GET /v1/actors/:actor/keys', () => {
  it('shows the keys with messages, by age or by depth', async () => {
    const app = await stage();
    expect(await list(app)).toEqual({ items: [] });
    await put(app, 'old', 13);
    for (let n = 0; n < 2; n++) await put(app, 'full', 13);
    await put(app, 'new', 13);
    const keys = async (query: string) => (await list(app, query)).items.map(({ key }) => key);
    expect(await keys('')).toEqual(['old', 'full', 'new']);
    expect(await keys('?by=age&limit=2')).toEqual(['old', 'full']);
    expect(await keys('?by=depth&limit=1')).toEqual(['full']);
    const { next } = await list(app, '?limit=2');
    expect(await list(app, `?limit=2&cursor=${next}`)).toMatchObject({ items: [{ key: 'new' }] });
    expect((await list(app, '?limit=3')).next).toBeUndefined();
    expect((await list(app, `?limit=2&cursor=${next}`)).next).toBeUndefined();
    for (const cursor of ['x', '-1', '1000']) {
      const { statusCode } = await app.inject({ url: `/v1/actors/vault/keys?cursor=${cursor}` });
      expect([cursor, statusCode]).toEqual([cursor, 422]);
    }
    const { items } = await list(app, '?by=depth&limit=1');
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(items).toEqual([{ key: 'full', depth: 2, since, quarantined: false }]);
    Vault.open();
    await vi.waitUntil(async () => (await list(app)).items.length === 0);
  });
});

describe('GET /v1/actors/:actor/keys/:key', () => {
  it('shows what the last turn committed, and what waits', async () => {
    const app = await stage();
    for (const coins of [1, 2, 13, 4]) await put(app, 'a', coins);
    await vi.waitUntil(async () => (await coinsOf(app, 'a')) === 3);
    const state = {
      data: { coins: 3, since: '1970-01-01T00:00:00.000Z' },
      revision: 2,
      version: 1,
    };
    expect(await get(app, 'a')).toEqual({ key: 'a', depth: 2, since: expect.any(String), state });
    Vault.open();
    await vi.waitUntil(async () => (await coinsOf(app, 'a')) === 20);
    expect(await get(app, 'a')).toMatchObject({ depth: 0, state: { revision: 4 } });
  });

  it('shows a key without state while messages wait for it', async () => {
    const app = await stage();
    await put(app, 'a', 13);
    expect(await get(app, 'a')).toEqual({ key: 'a', depth: 1, since: expect.any(String) });
    Vault.open();
    await vi.waitUntil(async () => (await coinsOf(app, 'a')) === 13);
  });

  // But for '.' and '..', which clients resolve before they ask, percent-encoded or not.
  it.each([
    'a/b',
    'a?b#c',
    'ä 😀',
    '100%',
    '%2F',
    'a+b',
    '__proto__',
    'keys',
    "it's",
    '\n',
    'x'.repeat(200),
    '😀'.repeat(100),
  ])('takes any key: %j', async (key) => {
    const app = await stage();
    await put(app, key, 7);
    await vi.waitUntil(async () => (await coinsOf(app, key)) === 7);
    expect(await get(app, key)).toMatchObject({ key, state: { data: { coins: 7 } } });
    expect((await release(app, key)).statusCode).toBe(404);
  });

  it('shows nothing of what its actor declares secret, nor does the journal', async () => {
    const app = await stage();
    const id = await send(app, { type: 'lock.set', data: { door: 'north', code: 'open sesame' } });
    await vi.waitUntil(
      async () =>
        (await app.inject({ url: `/v1/messages/${id}` })).json<{ state: string }>().state ===
        'done',
    );
    const url = '/v1/actors/lock/keys/north';
    const [key, journal] = await Promise.all([
      app.inject({ url }),
      app.inject({ url: `${url}/journal` }),
    ]);
    expect(key.json()).toMatchObject({ state: { data: { codes: [{ code: '[secret]' }] } } });
    expect(journal.json()).toMatchObject({ items: [{ row: { code: '[secret]', changed: 1 } }] });
    expect(key.body + journal.body).not.toContain('sesame');
  });

  it('answers 404 for a key that has neither state nor messages', async () => {
    const app = await stage();
    await put(app, 'a', 1);
    const { statusCode, body } = await app.inject({ url: at('b') });
    expect([statusCode, body]).toEqual([
      404,
      expect.stringContaining("the key 'b' of the actor 'vault' has neither state nor messages"),
    ]);
  });
});

describe('GET /v1/actors/:actor/keys/:key/journal', () => {
  it('shows what turns have left, newest first, page by page', async () => {
    const app = await stage();
    for (const coins of [1, 2, 3]) await put(app, 'a/b', coins);
    await vi.waitUntil(async () => (await coinsOf(app, 'a/b')) === 6);
    const page = async (query: string, key = 'a/b') => {
      const response = await app.inject({ url: `${at(key)}/journal${query}` });
      expect(response.statusCode, response.body).toBe(200);
      return response.json<JournalPage>();
    };
    const all = await page('');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(all).toEqual({
      items: [3, 2, 1].map((coins) => ({ id: expect.any(String), at: time, row: { coins } })),
    });
    const first = await page('?limit=2');
    expect(first).toEqual({ items: all.items.slice(0, 2), next: all.items[1]?.id });
    expect(await page(`?limit=2&before=${first.next}`)).toEqual({ items: all.items.slice(2) });
    expect(await page('', 'none')).toEqual({ items: [] });
    expect(await page('', 'x'.repeat(201))).toEqual({ items: [] });
  });

  it.each(['before=x', 'before=0-0', 'before=', 'limit=0', 'limit=101', 'by=age'])(
    'answers 422 for %s',
    async (query) => {
      const app = await stage();
      await put(app, 'a', 1);
      const { statusCode, body } = await app.inject({ url: `${at('a')}/journal?${query}` });
      expect([statusCode, body]).toEqual([422, expect.stringContaining('invalid_query')]);
    },
  );

  it('answers 404 for an actor that is not known', async () => {
    const app = await stage();
    const { statusCode } = await app.inject({ url: '/v1/actors/nobody/keys/a/journal' });
    expect(statusCode).toBe(404);
  });
});

describe('POST /v1/actors/:actor/keys/:key/release', () => {
  it('lets a quarantined key go on, in its order', async () => {
    const app = await stage();
    for (const coins of [1, -2, 3]) await put(app, 'a', coins);
    await vi.waitUntil(async () => (await get(app, 'a')).quarantine);
    const time = expect.any(String);
    expect(await get(app, 'a')).toMatchObject({
      depth: 2,
      state: { data: { coins: 1 }, revision: 1 },
      quarantine: {
        since: time,
        job: expect.stringMatching(/^vault-/),
        attempt: 1,
        startedAt: time,
        finishedAt: time,
        error: { name: 'QuarantineError', message: 'a coin is missing', code: 'quarantined' },
      },
    });
    expect((await list(app)).items).toMatchObject([{ key: 'a', depth: 2, quarantined: true }]);

    Vault.mended = true;
    const released = await release(app, 'a');
    expect([released.statusCode, released.json()]).toEqual([200, { key: 'a', state: 'released' }]);
    await vi.waitUntil(async () => (await coinsOf(app, 'a')) === 6);
    expect(await get(app, 'a')).not.toHaveProperty('quarantine');
    expect((await release(app, 'a')).statusCode).toBe(404);
  });

  it('stops again what is not mended', async () => {
    const app = await stage();
    await put(app, 'a', -1);
    const attempt = async () => (await get(app, 'a')).quarantine?.attempt;
    await vi.waitUntil(async () => (await attempt()) === 1);
    expect((await release(app, 'a')).statusCode).toBe(200);
    await vi.waitUntil(async () => (await attempt()) === 2);
  });
});
