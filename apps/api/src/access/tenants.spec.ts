import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { openStage } from '../../test/stage.js';

const KEY = 'k'.repeat(32);
const DEAD = { type: 'greeter.greet', data: { name: 'nobody' } };
const KEPT = { type: 'shelf.keep', data: {} };

type Method = 'GET' | 'POST' | 'DELETE';
interface Answer {
  status: number;
  body: {
    id: string;
    tenant?: string;
    code?: string;
    count?: number;
    permissions?: string[];
    next?: string;
    items: { id: string; tenant?: string; count: number }[];
    messages: { id: string }[];
  };
}

let app: NestFastifyApplication;
const keys: Record<string, string> = { root: KEY };

beforeAll(async () => {
  app = await openStage({ apiKey: KEY });
  for (const tenant of ['acme', 'globex']) {
    const { body } = await ask('root', 'POST', '/v1/api-keys', {
      name: tenant,
      role: 'admin',
      tenant,
    });
    keys[tenant] = (body as unknown as { key: string }).key;
  }
});
afterAll(() => app.close());

async function ask(who: string, method: Method, url: string, payload?: object): Promise<Answer> {
  const response = await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${keys[who]}` },
    ...(payload && { payload }),
  });
  return { status: response.statusCode, body: response.json() };
}

/** Sends for a tenant; resolves to the id once it is dead, or at once when it is only kept. */
async function send(who: string, message: typeof DEAD | typeof KEPT, id?: string): Promise<string> {
  const { body } = await ask(who, 'POST', '/v1/messages', { ...message, ...(id && { id }) });
  if (message === DEAD) {
    await eventually(
      async () => (await ask('root', 'GET', `/v1/dead-letters/${body.id}`)).status === 200,
    );
  }
  return body.id;
}

describe('two tenants', () => {
  it.each([
    ['an id of its sender', 'a-1'],
    ['an id that it was given', undefined],
  ])('see nothing of each other by %s', async (_, id) => {
    const kept = await send('acme', KEPT, id);
    const dead = await send('acme', DEAD, id && `dead-${id}`);
    expect((await ask('acme', 'GET', `/v1/messages/${kept}`)).body.tenant).toBe('acme');
    const crossed = await Promise.all(
      (
        [
          ['GET', `/v1/messages/${kept}`],
          ['DELETE', `/v1/messages/${kept}`],
          ['GET', `/v1/messages/${dead}`],
          ['GET', `/v1/dead-letters/${dead}`],
          ['POST', `/v1/dead-letters/${dead}/redrive`],
          ['DELETE', `/v1/dead-letters/${dead}`],
        ] as const
      ).map(([method, url]) => ask('globex', method, url)),
    );
    expect(crossed.map(({ status, body }) => [status, body.code])).toEqual(
      Array(6).fill([404, 'not_found']),
    );
    const edited = { data: { name: 'Ada' } };
    const mended = await ask('globex', 'POST', `/v1/dead-letters/${dead}/redrive`, edited);
    expect(mended.status).toBe(404);
    // All of it is as it was.
    expect((await ask('acme', 'GET', `/v1/messages/${kept}`)).body).toMatchObject({
      state: 'waiting',
    });
    expect((await ask('acme', 'GET', `/v1/dead-letters/${dead}`)).body).toMatchObject({
      redrives: 0,
    });
  });

  it('list and find their own messages alone, in every queue', async () => {
    const term = 'list-and-find';
    const keep = async (who: string, id: string) => {
      const data = { orderId: term };
      await ask(who, 'POST', '/v1/messages', { ...KEPT, data, id });
      return id;
    };
    const own: string[] = [];
    for (let n = 0; n < 5; n++) {
      own.unshift(await keep('acme', `acme-${n}`));
      await keep('globex', `globex-${n}`);
      await keep('root', `root-${n}`);
    }
    const pages = async (who: string, query: string): Promise<string[]> => {
      const found: string[] = [];
      let cursor = '';
      for (let page = 0; page < 20; page++) {
        const { status, body } = await ask(who, 'GET', `/v1/messages?${query}${cursor}`);
        expect(status).toBe(200);
        found.push(...body.items.map(({ id }) => id));
        if (body.next === undefined) return found;
        cursor = `&cursor=${body.next}`;
      }
      throw new Error('there is no last page');
    };
    for (const limit of [1, 2, 50]) {
      const by = (q: string) => pages('acme', `q=${q}&limit=${limit}`);
      expect(await by(`data.orderId:${term}`)).toEqual(own);
      const listed = await pages('acme', `actor=shelf&limit=${limit}`);
      expect(listed.slice(0, 5)).toEqual(own);
      expect(listed.filter((id) => /^(globex|root)-/.test(id))).toEqual([]);
    }
    const dead = await send('acme', DEAD);
    const died = await pages('acme', 'state=dead');
    expect(died).toContain(dead);
    expect(await pages('globex', 'state=dead')).not.toContain(dead);
    expect(await pages('root', `q=data.orderId:${term}`)).toHaveLength(15);
  });

  it('are told by no error which actors there are', async () => {
    for (const call of ['messages?actor=nobody', 'dead-letters?actor=nobody']) {
      const { status, body } = await ask('acme', 'GET', `/v1/${call}`);
      expect([status, body]).toMatchObject([422, { detail: "actor 'nobody' is not known" }]);
      const all = await ask('root', 'GET', `/v1/${call}`);
      expect(all.body).toMatchObject({
        detail: expect.stringContaining('; known are greeter') as string,
      });
    }
  });

  it('get no reply of each other, take no place of each other', async () => {
    const given = await send('acme', KEPT);
    const chosen = await send('acme', KEPT, 'a-2');
    for (const [call, body] of [
      ['messages:ask', { ...DEAD, id: given }],
      ['messages', { ...KEPT, id: given }],
      ['messages', { ...KEPT, id: given, replace: true }],
      ['messages:batch', { messages: [{ ...KEPT, id: given }] }],
      ['topics/shelf.keep', { data: {}, id: given }],
    ] as const) {
      expect([call, (await ask('globex', 'POST', `/v1/${call}`, body)).status]).toEqual([
        call,
        422,
      ]);
    }
    for (const [call, body] of [
      ['messages', { ...KEPT, id: chosen }],
      ['messages', { ...KEPT, id: chosen, replace: true }],
      ['messages:batch', { messages: [{ ...KEPT, id: chosen }] }],
    ] as const) {
      expect([call, (await ask('globex', 'POST', `/v1/${call}`, body)).status]).toEqual([
        call,
        409,
      ]);
    }
    const many = { messages: [{ ...KEPT, id: 'new', replace: true }] };
    expect((await ask('globex', 'POST', '/v1/messages:batch', many)).status).toBe(403);
    expect((await ask('acme', 'POST', '/v1/messages', { ...KEPT, id: chosen })).status).toBe(202);
  });

  it('are told as theirs only the permissions that open something to them, whatever their role', async () => {
    const { status, body } = await ask('acme', 'GET', '/v1/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({ role: 'admin', tenant: 'acme' });
    expect(body.permissions?.toSorted()).toEqual([
      'dead-letters:discard',
      'dead-letters:read',
      'dead-letters:redrive',
      'messages:cancel',
      'messages:read',
      'messages:send',
    ]);
  });

  it('send for themselves alone', async () => {
    for (const [call, body] of [
      ['messages', { ...KEPT, tenant: 'acme' }],
      ['messages:batch', { messages: [{ ...KEPT, tenant: 'acme' }] }],
      ['messages:ask', { ...DEAD, tenant: 'acme' }],
      ['topics/shelf.keep', { data: {}, tenant: 'acme' }],
    ] as const) {
      expect([call, (await ask('globex', 'POST', `/v1/${call}`, body)).status]).toEqual([
        call,
        403,
      ]);
    }
    const { body } = await ask('globex', 'POST', '/v1/messages:batch', { messages: [KEPT] });
    const sent = await ask('root', 'GET', `/v1/messages/${body.messages[0]!.id}`);
    expect(sent.body.tenant).toBe('globex');
    // Who is of none sends for any.
    const other = await ask('root', 'POST', '/v1/messages', { ...KEPT, tenant: 'globex' });
    expect((await ask('globex', 'GET', `/v1/messages/${other.body.id}`)).status).toBe(200);
  });

  it('have dead letters of their own', async () => {
    const [ours, theirs] = [await send('acme', DEAD), await send('globex', DEAD)];
    const idsOf = async (who: string) =>
      (await ask(who, 'GET', '/v1/dead-letters?limit=100')).body.items.map(({ id }) => id);
    expect(await idsOf('root')).toEqual(expect.arrayContaining([ours, theirs]));
    const [acme, globex] = [await idsOf('acme'), await idsOf('globex')];
    expect([acme.includes(ours), acme.includes(theirs)]).toEqual([true, false]);
    expect(globex).toEqual([theirs]);
    const groups = await ask('globex', 'GET', '/v1/dead-letters:groups');
    expect(groups.body.items.map(({ count }) => count)).toEqual([1]);

    const redriven = await ask('globex', 'POST', '/v1/dead-letters:redrive', {});
    expect(redriven.body).toMatchObject({ count: 1 });
    const letter = await ask('acme', 'GET', `/v1/dead-letters/${ours}`);
    expect(letter.body).toMatchObject({ redrives: 0 });
  });
});
