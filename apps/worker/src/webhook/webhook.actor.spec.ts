import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DeliverWebhook } from '@callsheet/contracts';
import { RejectError, RetryLaterError, type Turn } from '@callsheet/messaging';
import { TestCallsheet, testTurn } from '@callsheet/messaging/testing';
import { Logger } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { Settings } from '../settings.js';
import { EndpointGoneError } from './endpoint.gone.error.js';
import { WebhookActor } from './webhook.actor.js';
import { WebhookClient } from './webhook.client.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server;
let url: string;
let received: Received[];
let respond: RequestListener;

beforeEach(async () => {
  received = [];
  respond = (_, response) => response.end('ok');
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body });
      respond(request, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=hunter2`;
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
});

const turn = (change: Partial<Turn> = {}): Turn =>
  testTurn({
    id: 'webhook-1',
    attempts: 8,
    sentAt: new Date('2026-01-02T03:04:05.678Z'),
    ...change,
  });

const invoicePaid = (): DeliverWebhook =>
  new DeliverWebhook({ url, event: 'invoice.paid', payload: { name: 'Zoë', n: 1 } });

function deliver(change: Partial<Turn> = {}, env: Record<string, string> = {}): Promise<void> {
  return new WebhookActor(clientOf(env)).deliver(invoicePaid(), turn(change));
}

function clientOf(env: Record<string, string> = {}): WebhookClient {
  const settings = new Settings({ WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW: '127.0.0.1', ...env });
  const guarded = new GuardedFetch(settings.allowed);
  onTestFinished(() => guarded.onApplicationShutdown());
  return new WebhookClient(settings, guarded);
}

/** The error of a delivery that must fail. */
async function failure(...args: Parameters<typeof deliver>): Promise<Error> {
  const error: unknown = await deliver(...args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('the delivery did not fail');
  return error;
}

describe('a delivery', () => {
  it('posts the event, signed so that an independent verifier accepts it', async () => {
    await deliver();
    const [{ headers, body }] = received as [Received];
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'webhook-1',
    });
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({
      type: 'invoice.paid',
      timestamp: '2026-01-02T03:04:05.678Z',
      data: { name: 'Zoë', n: 1 },
    });
    const tampered = body.replace('Zoë', 'Eve');
    expect(() => new Webhook(SECRET).verify(tampered, headers as Record<string, string>)).toThrow(
      'No matching signature',
    );
  });

  it.each(['Zoë\r\nx-evil: 1', 'a%20b', 'a b'])('carries the id %j safely', async (id) => {
    await deliver({ id });
    const [{ headers, body }] = received as [Received];
    expect(headers['webhook-id']).toBe(encodeURIComponent(id));
    expect(headers).not.toHaveProperty('x-evil');
    new Webhook(SECRET).verify(body, headers as Record<string, string>);
  });

  it('has a signature of each key while receivers change from one to the other', async () => {
    const next = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    await deliver({}, { WEBHOOK_SECRET: `${SECRET}, ${next}` });
    const [{ headers, body }] = received as [Received];
    for (const secret of [SECRET, next]) {
      new Webhook(secret).verify(body, headers as Record<string, string>);
    }
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
  });

  it('to an address that is not allowed rejects, and sends nothing', async () => {
    const error = await failure({}, { WEBHOOK_ALLOW: '' });
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toMatch(/^refused to connect to 127\.0\.0\.1: .* WEBHOOK_ALLOW$/);
    expect(received).toEqual([]);
  });

  it('signs with a key of its own when no secret is set, and warns once', async () => {
    const warnings: unknown[] = [];
    const warn = (line: unknown): number => warnings.push(line);
    Logger.overrideLogger({ log: warn, error: warn, warn });
    onTestFinished(() => Logger.overrideLogger(true));
    const client = clientOf({ WEBHOOK_SECRET: '' });
    await client.deliver(invoicePaid(), turn());
    await client.deliver(invoicePaid(), turn({ attempt: 2 }));
    expect(warnings).toEqual([expect.stringMatching(/^WEBHOOK_SECRET is not set/)]);
    expect(received[0]?.headers['webhook-signature']).toMatch(/^v1,[\w+/]{43}=$/);
  });
});

describe('an answer', () => {
  it.each([200, 201, 202, 204])('of %i is a delivery', async (status) => {
    respond = (_, response) => response.writeHead(status).end();
    await expect(deliver()).resolves.toBeUndefined();
  });

  it.each([300, 304, 307, 400, 401, 403, 404, 410, 413, 422])('of %i rejects', async (status) => {
    respond = (_, response) => response.writeHead(status).end(status === 304 ? undefined : 'no');
    const error = await failure();
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toContain(`answered ${status}`);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('of %i is tried again', async (status) => {
    respond = (_, response) => response.writeHead(status).end('later');
    const error = await failure();
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error).not.toBeInstanceOf(RetryLaterError);
    expect(error.message).toBe(`POST ${url.split('?')[0]} answered ${status}: later`);
  });

  it('of 410 says that the endpoint is gone', async () => {
    respond = (_, response) => response.writeHead(410).end();
    expect(await failure()).toBeInstanceOf(EndpointGoneError);
  });

  it('that redirects is not followed', async () => {
    respond = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await failure()).toBeInstanceOf(RejectError);
    expect(received).toHaveLength(1);
  });

  it('is quoted up to 200 characters, on one line', async () => {
    respond = (_, response) => response.writeHead(400).end(`a\0\r\nb${'😀'.repeat(300)}`);
    const { message } = await failure();
    expect(message.split('answered ')[1]).toBe(`400: a b${'😀'.repeat(98)}`);
  });

  it.each([
    [200, /^delivered$/],
    [500, /answered 500: x{200}$/],
  ])('of %i without end is left after 64 KiB', async (status, expected) => {
    let written = 0;
    let left: Promise<unknown> | undefined;
    respond = (_, response) => {
      left = once(response, 'close');
      response.writeHead(status);
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) written += 16_384;
      };
      response.on('drain', pour);
      pour();
    };
    const outcome = await deliver().catch((error: Error) => error.message);
    expect(outcome ?? 'delivered').toMatch(expected);
    await left;
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('whose body never ends is a delivery all the same', async () => {
    respond = (_, response) => response.writeHead(200).write('ok');
    await expect(deliver({}, { WEBHOOK_TIMEOUT_MS: '100' })).resolves.toBeUndefined();
  });
});

describe('Retry-After', () => {
  const asking = (status: number, after: string): void => {
    respond = (_, response) => response.writeHead(status, { 'retry-after': after }).end();
  };

  it.each([429, 503])('of a %i is honoured in seconds', async (status) => {
    asking(status, '120');
    const error = await failure();
    expect(error).toBeInstanceOf(RetryLaterError);
    expect((error as RetryLaterError).options.after).toBe(120_000);
  });

  it('is honoured as a date', async () => {
    asking(503, new Date(Date.now() + 600_000).toUTCString());
    const { after } = ((await failure()) as RetryLaterError).options;
    expect(after).toBeGreaterThan(590_000);
    expect(after).toBeLessThanOrEqual(600_000);
  });

  it.each(['999999999', new Date(Date.now() + 86_400_000).toUTCString()])(
    'of %s is cut to an hour',
    async (value) => {
      asking(429, value);
      expect(((await failure()) as RetryLaterError).options.after).toBe(3_600_000);
    },
  );

  it.each(['0', '-5', 'soon', '1.5', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'of %j leaves the wait to the back-off',
    async (value) => {
      asking(429, value);
      expect(await failure()).not.toBeInstanceOf(RetryLaterError);
    },
  );

  it('of another status is ignored', async () => {
    asking(500, '120');
    expect(await failure()).not.toBeInstanceOf(RetryLaterError);
  });
});

describe('no answer', () => {
  it('in time is tried again', async () => {
    respond = () => undefined;
    const error = await failure({}, { WEBHOOK_TIMEOUT_MS: '100' });
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error.message).toMatch(/got no answer within 100 ms$/);
  });

  it('because nobody listens is tried again, without the query in the error', async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    const error = await failure();
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error.message).toMatch(/^POST http.*\/hook failed: connect ECONNREFUSED/);
    expect(error.message).not.toContain('hunter2');
  });

  it('because the connection broke is tried again', async () => {
    respond = (request) => request.socket.destroy();
    expect(await failure()).not.toBeInstanceOf(RejectError);
  });

  it('because the turn was aborted gives the reason of the turn', async () => {
    const controller = new AbortController();
    const reason = new Error('the process is stopping');
    respond = () => controller.abort(reason);
    expect(await failure({ signal: controller.signal })).toBe(reason);
    expect(await failure({ signal: controller.signal })).toBe(reason);
    expect(received).toHaveLength(1);
  });
});

describe('events of one endpoint', () => {
  it('arrive in order: one that is tried again holds those behind it, and nobody else', async () => {
    const events: string[] = [];
    let broken = true;
    respond = ({ url: path }, response) => {
      const { type } = JSON.parse(received.at(-1)?.body ?? '') as { type: string };
      const fails = broken && path?.startsWith('/a');
      if (!fails) events.push(type);
      response.writeHead(fails ? 500 : 204).end();
    };
    const t = await TestCallsheet.create({
      providers: [WebhookActor, { provide: WebhookClient, useValue: clientOf() }],
    });
    onTestFinished(() => t.close());
    const event = (path: string, name: string, endpoint?: string): DeliverWebhook =>
      new DeliverWebhook({ url: new URL(path, url).href, event: name, payload: {}, endpoint });
    await t.actors.tellMany([
      event('/a?n=1', 'a1'),
      event('/a?n=2', 'a2'),
      event('/b', 'b1'),
      event('/a', 'other', 'customer 7'),
    ]);
    await t.drain();
    expect(events).toEqual(['b1']);
    expect(received).toHaveLength(3);
    broken = false;
    await t.advance('2s');
    expect(events.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2']);
    expect(events).toContain('other');
  });
});
