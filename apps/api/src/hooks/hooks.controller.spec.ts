import { signatures, parseSecret, WebhookReceived } from '@callsheet/contracts';
import { Actor, On, UnroutedActor, type Turn } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStage } from '../../test/stage.js';
import { SIGNED_BODY_LIMIT } from '../signed.route.js';
import { HookRate } from './hook.rate.js';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const [SHOP, BANK, NEXT] = [secretOf(1), secretOf(2), secretOf(3)];
const KEY = 'k'.repeat(32);
const PAID = '{"type":"order.paid","data":{"order":42,"name":"Zoë"}}';

@Actor({ name: 'bookkeeper' })
class Bookkeeper {
  static readonly heard: { id: string; topic: string; event: WebhookReceived }[] = [];

  @On(WebhookReceived, { topic: 'hooks.*.order.**' })
  paid(event: WebhookReceived, { id, topic }: Turn): void {
    Bookkeeper.heard.push({ id, topic, event });
  }
}

let app: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  vi.stubEnv('HOOK_SECRETS', `shop=${SHOP}, bank=${NEXT}, bank=${BANK}`);
  // With a key: what is signed is asked for none.
  app = await openStage({ apiKey: KEY, providers: [Bookkeeper, UnroutedActor] });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(async () => {
  await app.close();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  Bookkeeper.heard.length = 0;
});

interface Sending {
  id?: string;
  /** Seconds before now. */
  age?: number;
  secret?: string;
  source?: string;
  /** What is sent, when it is not what was signed. */
  sent?: string;
  headers?: Record<string, string>;
}

/** Signed by an independent library, which other systems use. */
function signed(body: string, { id = 'msg_1', age = 0, secret = SHOP }: Sending) {
  const at = new Date((Math.floor(Date.now() / 1_000) - age) * 1_000);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(at.getTime() / 1_000),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

async function post(body: string, sending: Sending = {}): Promise<[number, Answer]> {
  const response = await fetch(`${url}/v1/hooks/${sending.source ?? 'shop'}`, {
    method: 'POST',
    headers: { ...signed(body, sending), ...sending.headers },
    body: sending.sent ?? body,
  });
  return [response.status, (await response.json()) as Answer];
}

type Answer = Record<string, unknown>;

const refused = (code: string): unknown => expect.objectContaining({ code });

async function heard(count: number): Promise<typeof Bookkeeper.heard> {
  await vi.waitUntil(() => Bookkeeper.heard.length >= count);
  return Bookkeeper.heard;
}

async function stateOf(id: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${KEY}` };
  const response = await fetch(`${url}/v1/messages/${encodeURIComponent(id)}`, { headers });
  return ((await response.json()) as { state?: string }).state;
}

describe('a webhook with a right signature', () => {
  it('becomes an event under the topic of its source and type', async () => {
    const answer = { id: 'hook:shop:good', topic: 'hooks.shop.order.paid' };
    expect(await post(PAID, { id: 'good' })).toEqual([202, answer]);
    expect(await heard(1)).toEqual([
      {
        id: 'hook:shop:good@bookkeeper',
        topic: 'hooks.shop.order.paid',
        event: { source: 'shop', type: 'order.paid', payload: JSON.parse(PAID) as object },
      },
    ]);
  });

  it('is taken once, however often it comes, and answered the same', async () => {
    const first = await post(PAID, { id: 'again' });
    // A later attempt is signed anew, with its own time.
    expect(await post(PAID, { id: 'again', age: 10 })).toEqual(first);
    await heard(1);
    expect(await post(PAID, { id: 'again', age: 20 })).toEqual(first);
    await post(PAID, { id: 'after' });
    await vi.waitUntil(async () => (await stateOf('hook:shop:after@bookkeeper')) === 'done');
    expect(Bookkeeper.heard.map(({ id }) => id)).toEqual([
      'hook:shop:again@bookkeeper',
      'hook:shop:after@bookkeeper',
    ]);
  });

  it('of another source is another one, also with the same id', async () => {
    await post(PAID, { id: 'same' });
    expect(await post(PAID, { id: 'same', source: 'bank', secret: BANK })).toEqual([
      202,
      { id: 'hook:bank:same', topic: 'hooks.bank.order.paid' },
    ]);
    expect((await heard(2)).map(({ event }) => event.source).sort()).toEqual(['bank', 'shop']);
  });

  it('that says something else under an id that was used is a conflict', async () => {
    await post(PAID, { id: 'reused' });
    const other = await post(PAID.replace('42', '43'), { id: 'reused' });
    expect(other).toEqual([409, refused('idempotency_conflict')]);
  });

  it('may be signed with any secret of its source, and carry signatures of others', async () => {
    for (const [id, secret] of [
      ['old', BANK],
      ['new', NEXT],
    ] as const) {
      expect((await post(PAID, { id, source: 'bank', secret }))[0]).toBe(202);
    }
    const now = Math.floor(Date.now() / 1_000);
    const both = signatures([parseSecret(NEXT, ''), parseSecret(SHOP, '')], 'both', now, PAID);
    const headers = { 'webhook-timestamp': String(now), 'webhook-signature': `v1a,x ${both}` };
    expect(await post(PAID, { id: 'both', headers })).toEqual([202, expect.anything()]);
  });

  it.each([-290, 290])('may be %i seconds old', async (age) => {
    const [status] = await post(PAID, { id: `age${age}`, age });
    expect(status).toBe(202);
  });

  it.each([
    ['a slash', '{"type":"order/paid"}', 'hooks.shop'],
    ['ten words', `{"type":"${'a.'.repeat(9)}a"}`, 'hooks.shop'],
    ['no text', '{"type":5}', 'hooks.shop'],
    ['nothing', '{"kind":"order.paid"}', 'hooks.shop'],
    ['a wildcard', '{"type":"order.*"}', 'hooks.shop'],
    ['__proto__', '{"type":"__proto__"}', 'hooks.shop.__proto__'],
  ])('whose type is %s is under %s', async (name, body, topic) => {
    expect(await post(body, { id: `type-${name.replace(' ', '-')}` })).toEqual([
      202,
      expect.objectContaining({ topic }),
    ]);
  });

  it('that nobody receives is a dead letter, which can be redriven', async () => {
    expect(await post('{"type":"nobody.cares"}', { id: 'kept' })).toMatchObject([202, {}]);
    await vi.waitUntil(async () => (await stateOf('hook:shop:kept@unrouted')) === 'dead');
    expect(Bookkeeper.heard).toEqual([]);
  });

  it('is taken under whatever name this machine has elsewhere, without a key too', async () => {
    const open = await openStage({ providers: [Bookkeeper] });
    onTestFinished(() => open.close());
    const headers = { ...signed(PAID, {}), host: 'hooks.example.org' };
    const request = { method: 'POST' as const, payload: PAID, headers };
    expect((await open.inject({ ...request, url: '/v1/hooks/shop' })).statusCode).toBe(202);
    expect((await open.inject({ ...request, url: '/v1/messages' })).statusCode).toBe(421);
  });
});

describe('a webhook is refused, and nothing is published,', () => {
  it.each<[string, number, string, string, Sending]>([
    ['with another body than was signed', 401, 'bad_signature', PAID, { sent: `${PAID} ` }],
    ['with a secret of nobody', 401, 'bad_signature', PAID, { secret: secretOf(9) }],
    ['with the secret of another source', 401, 'bad_signature', PAID, { secret: BANK }],
    ['from the past', 401, 'bad_signature', PAID, { age: 310 }],
    ['from the future', 401, 'bad_signature', PAID, { age: -310 }],
    ['with another id', 401, 'bad_signature', PAID, { headers: { 'webhook-id': 'x' } }],
    ['with an empty id', 401, 'bad_signature', PAID, { headers: { 'webhook-id': '' } }],
    ['with a long id', 401, 'bad_signature', PAID, { id: 'x'.repeat(101) }],
    ['with no time', 401, 'bad_signature', PAID, { headers: { 'webhook-timestamp': '1e9' } }],
    [
      'with an empty signature',
      401,
      'bad_signature',
      PAID,
      { headers: { 'webhook-signature': '' } },
    ],
    ['with a short one', 401, 'bad_signature', PAID, { headers: { 'webhook-signature': 'v1,AA' } }],
    ['unsigned, before its JSON is read', 401, 'bad_signature', PAID, { sent: '{' }],
    ['of a source that is not known', 404, 'unknown_source', PAID, { source: 'toString' }],
    ['of the source __proto__', 404, 'unknown_source', PAID, { source: '__proto__' }],
    ['that is not JSON', 400, 'malformed_json', '{"type":', {}],
    ['that is empty', 400, 'malformed_json', '', {}],
    [
      'of another type',
      415,
      'unsupported_media_type',
      PAID,
      { headers: { 'content-type': 'text/plain' } },
    ],
    ['that is a list', 422, 'invalid_body', '[]', {}],
    ['that is null', 422, 'invalid_body', 'null', {}],
    ['that pollutes prototypes', 400, 'forbidden_key', '{"__proto__":{"admin":true}}', {}],
    [
      'that does so deep inside',
      400,
      'forbidden_key',
      '{"a":[{"constructor":{"prototype":{}}}]}',
      {},
    ],
    ['that is deep', 422, 'invalid_message', '{"a":'.repeat(40) + '1' + '}'.repeat(40), {}],
    [
      'that is very deep',
      422,
      'invalid_message',
      `{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}`,
      {},
    ],
    ['that has a NUL', 422, 'invalid_message', '{"a":"\\u0000"}', {}],
    ['that is too large', 413, 'too_large', `{"a":"${'x'.repeat(SIGNED_BODY_LIMIT)}"}`, {}],
    ['from a page', 403, 'cross_site', PAID, { headers: { origin: 'https://evil.example' } }],
  ])('%s: %i %s', async (name, status, code, body, sending) => {
    expect(await post(body, { id: `bad-${name.length}`, ...sending })).toEqual([
      status,
      refused(code),
    ]);
    await post(PAID, { id: `after-${name.replaceAll(/\W/g, '')}` });
    expect((await heard(1)).map(({ id }) => id)).toEqual([
      expect.stringMatching(/^hook:shop:after/),
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s', async (name) => {
    const { [name as 'webhook-id']: _, ...headers } = signed(PAID, {});
    const response = await fetch(`${url}/v1/hooks/shop`, { method: 'POST', headers, body: PAID });
    expect([response.status, await response.json()]).toEqual([
      401,
      expect.objectContaining({ code: 'bad_signature', detail: `the header ${name} is missing` }),
    ]);
  });

  it('when it is asked for by GET, and without a key nobody is told more', async () => {
    expect((await fetch(`${url}/v1/hooks/shop`)).status).toBe(401);
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await fetch(`${url}/v1/hooks/shop`, { headers })).status).toBe(405);
  });

  it('when its source is too fast, which others do not notice', async () => {
    const rate = app.get(HookRate);
    const before = { perSecond: rate.perSecond, burst: rate.burst };
    onTestFinished(() => void Object.assign(rate, before));
    Object.assign(rate, { perSecond: 0.001, burst: 2 });
    const bank = { source: 'bank', secret: BANK };
    const statuses: number[] = [];
    for (const id of ['fast1', 'fast2', 'fast3']) {
      statuses.push((await post(PAID, { ...bank, id, secret: secretOf(9) }))[0]);
      statuses.push((await post(PAID, { ...bank, id }))[0]);
    }
    expect(statuses).toEqual([401, 202, 401, 202, 401, 429]);
    const last = await fetch(`${url}/v1/hooks/bank`, {
      method: 'POST',
      headers: signed(PAID, { id: 'fast3', secret: BANK }),
      body: PAID,
    });
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    Object.assign(rate, before);
    expect((await post(PAID, { id: 'slow' }))[0]).toBe(202);
  });
});
