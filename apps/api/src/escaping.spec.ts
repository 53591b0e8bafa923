import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Request } from '../test/refusal.js';
import { openStage, stageForTest } from '../test/stage.js';

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await openStage();
});
afterAll(() => app.close());

function post(
  url: string,
  payload: object | string,
  headers: Record<string, string> = {},
): Request {
  return { method: 'POST', url, headers, payload };
}

const SCRIPTS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)' autofocus='",
  '</strong><svg/onload=alert(1)>',
  '&lt;script&gt;<!--',
];

describe('pages show what they are given as text', () => {
  const KEY = 'k'.repeat(32);

  it.each(SCRIPTS)('%s', async (script) => {
    const page = await stageForTest({ apiKey: KEY });
    const authorization = `Bearer ${KEY}`;
    const made = await page.inject({
      ...post('/v1/api-keys', { name: script, role: 'viewer', tenant: script }),
      headers: { authorization },
    });
    const { key: secret } = made.json<{ key: string }>();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const next = `/${script.replaceAll(' ', '/')}`;
    const logIn = (given: string) =>
      page.inject({
        ...post('/login', new URLSearchParams({ key: given, next }).toString(), form),
      });
    const cookie = String((await logIn(secret)).headers['set-cookie']).split(';', 1)[0]!;
    const asked = `/login?next=${encodeURIComponent(next)}`;
    const shown = [
      await page.inject({ url: asked }),
      await page.inject({ url: asked, headers: { cookie } }),
      await logIn(`${script}x`),
    ];
    expect(shown.map(({ statusCode }) => statusCode)).toEqual([200, 200, 401]);
    for (const { body: html, headers } of shown) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
      // Texts have no way out of their place.
      expect(html).not.toMatch(/<(script|img|svg|!--)/i);
      for (const part of [script, next]) expect(html).not.toContain(part);
    }
    // The name and the tenant are there, and the way on.
    expect(
      shown[1]!.body.split('&#60;').length + shown[1]!.body.split('&#39;').length,
    ).toBeGreaterThan(4);
  });

  it.each(SCRIPTS)('and other answers are no pages: %s', async (script) => {
    const place = encodeURIComponent(script);
    for (const url of [
      `/v1/messages/${place}`,
      `/${place}`,
      `/v1/actors?x=${place}`,
      `/docs/${place}`,
    ]) {
      const { headers } = await app.inject({ url, headers: { accept: 'text/html' } });
      expect(headers).toMatchObject({
        'content-type': expect.stringMatching(/json/),
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
    }
  });
});

describe('what comes back in headers', () => {
  const BREAKS = ['\r\nx-evil: 1', '\nx-evil: 1', '\r\n\r\n<html>', '\u560d\u560ax-evil:1', '\0'];

  it.each(BREAKS)('begins no other header: %o', async (text) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded', host: 'localhost' };
    const locked = await stageForTest({ apiKey: 'k'.repeat(32) });
    const place = encodeURIComponent(text);
    const login = new URLSearchParams({ key: 'k'.repeat(32), next: `/a${text}` }).toString();
    const answers = [
      await locked.inject({ ...post('/login', login, form) }),
      await locked.inject({
        url: `/board/queue/${place}?a=${place}`,
        headers: { accept: 'text/html' },
      }),
      await app.inject(post('/v1/schedules', { id: `a${text}`, message: {}, every: '1h' })),
      await app.inject({ method: 'PATCH', url: `/v1/messages/${place}` }),
      await app.inject({ method: 'PUT', url: `/v1/routes/${place}`, payload: {} }),
    ];
    for (const { headers } of answers) {
      expect(headers).not.toHaveProperty('x-evil');
      expect(Object.values(headers).join(' ')).not.toMatch(/[\0\r\n]/);
    }
    expect(answers.slice(0, 2).map(({ headers }) => headers.location)).toEqual([
      '/',
      expect.stringMatching(/^\/login\?next=[\w%.~-]+$/),
    ]);
  });
});
