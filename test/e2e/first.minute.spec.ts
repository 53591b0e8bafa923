import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import { simpleParser } from 'mailparser';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../support/api.client.js';
import { expectExit, ROOT, type AppProcess } from '../support/app.process.js';
import { startStandalone } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';

describe('the first minute: nothing installed, nothing configured', () => {
  let app: AppProcess;
  let api: ApiClient;
  let welcome: string[];

  beforeAll(async () => {
    ({ app, api } = await startStandalone());
    await app.line(/^ *curl /);
    welcome = app.output.split('\n').filter((line) => line !== '' && !line.includes('[Nest]'));
  });

  it('prints what runs where, how long the start took, and a command to paste', () => {
    expect(welcome.length).toBeLessThanOrEqual(10);
    const [, seconds] = /ready after (\d+\.\d) s/.exec(welcome[0] ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(0);
    console.log(`standalone on an empty folder: ready after ${seconds} s`);
    for (const place of ['/', '/v1/messages', '/v1/actors', '/board', '/openapi.json']) {
      expect(welcome.join('\n')).toContain(api.url + place);
    }
  });

  it('answers at every place it names', async () => {
    const at = (place: string) => fetch(api.url + place);
    expect(await (await at('/health/ready')).json()).toEqual({
      status: 'ready',
      turnMs: expect.any(Number),
      store: { name: 'PGlite (embedded)', durability: 'process-safe' },
    });
    expect(await (await at('/openapi.json')).json()).toMatchObject({
      openapi: expect.stringMatching(/^3\.1/),
    });
    const page = await at('/');
    expect([page.status, await page.text()]).toEqual([
      200,
      expect.stringContaining('id="console"'),
    ]);
    const board = await at('/board');
    expect([board.status, await board.text()]).toEqual([200, expect.stringContaining('Callsheet')]);
    // What actors tell each other is nobody else's to send.
    expect(
      await api.request('POST', '/v1/messages', { type: 'paced-email.send', data: {} }),
    ).toMatchObject({ status: 422, body: { code: 'unknown_message' } });
    const { items } = await api.actors();
    expect(items.map(({ name }) => name)).toEqual([
      'account',
      'alerts',
      'chat',
      'email',
      'heartbeat',
      'paced-email',
      'push',
      'push-device',
      'routes',
      ...SCHEDULER_ACTORS,
      'signups',
      ...SYNC_ACTORS,
      'unrouted',
      'webhook',
    ]);
  });

  it('sends a mail when the printed command is pasted', async () => {
    const { url, body, ...request } = parseCurl(
      welcome.find((line) => /^ *curl /.test(line)) ?? '',
    );
    const response = await fetch(url, { ...request, body });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await api.until(id, 'done');

    const { to, subject, text } = (
      JSON.parse(body ?? '') as { data: { to: string; subject: string; text: string } }
    ).data;
    expect(readdirSync(path.join(app.cwd, 'outbox'))).toEqual([`${id}.eml`]);
    const mail = await simpleParser(readFileSync(path.join(app.cwd, 'outbox', `${id}.eml`)));
    expect(mail).toMatchObject({
      subject,
      text: `${text}\n`,
      to: { value: [{ address: to }] },
      messageId: `<${id}@localhost>`,
    });
  });

  it('answers the commands of the pages as they say', async () => {
    const pages = [
      'README.md',
      'docs/guide/state.md',
      'docs/guide/schedules.http.md',
      'docs/guide/routing.http.md',
      'docs/guide/sync.md',
      'docs/guide/webhooks.md',
      'docs/guide/chat.md',
      'docs/guide/push.md',
      'docs/guide/email.md',
      'docs/guide/access.md',
      'docs/guide/operating.http.md',
      'docs/guide/observability.md',
    ].map((page) => readFileSync(path.join(ROOT, page), 'utf8'));
    const answers: [number, unknown][] = [];
    for (const { url, body, ...request } of pages.flatMap(curlsOf)) {
      const [, dead] = /dead-letters\/([^/]+)\/redrive$/.exec(url) ?? [];
      if (dead !== undefined) await api.until(dead, 'dead');
      const response = await fetch(url.replace(/^localhost:3000/, api.url), {
        ...request,
        body: body?.replace(':9999/', ':1/'), // where surely nobody listens
      });
      const text = await response.text();
      answers.push([response.status, text === '' ? undefined : JSON.parse(text)]);
    }
    const told = expect.objectContaining({ state: 'waiting' });
    const state = { data: { balance: 1_000, entries: 1 }, revision: 1, version: 1 };
    const money = (more: object) =>
      expect.objectContaining({ id: 'pocket-money', cron: '0 9 * * 1', ...more }) as object;
    const route = (more: object) => expect.objectContaining({ id: 'welcome', ...more }) as object;
    const change = (what: string, reason?: string) =>
      expect.objectContaining({ change: what, ...(reason && { reason }) }) as object;
    const [copy, kept] = ['signup-1@email', 'signup-2@unrouted'];
    const signups = expect.objectContaining({ name: 'signups', every: '30s' }) as object;
    const hello = expect.objectContaining({ seq: 1, author: 'ada', text: 'Hello' }) as object;
    const balance = { actor: 'account', reply: 1_000 };
    const loud = { since: expect.any(String) as string, reason: 'too loud' };
    const ofAda = expect.objectContaining({ state: 'done', key: 'ada' }) as object;
    const toAda = expect.objectContaining({ type: 'email.send' }) as object;
    expect(answers).toEqual([
      [202, told],
      [200, expect.objectContaining({ reply: { balance: 1_000 } })],
      [200, { key: 'ada', depth: 0, state }],
      [200, { items: [] }],
      [200, { items: [] }],
      [404, expect.objectContaining({ code: 'not_found' })],
      [200, expect.objectContaining({ text: expect.any(String) })],
      [201, money({ outcome: 'created' })],
      [200, { items: [money({ tags: ['money'] })] }],
      [200, money({ state: 'active' })],
      [412, expect.objectContaining({ code: 'precondition_failed' })],
      [200, money({ state: 'paused' })],
      [200, money({ state: 'active' })],
      [202, expect.objectContaining({ state: 'started' })],
      [200, { id: 'pocket-money', state: 'counted', count: 4 }],
      [200, { items: expect.any(Array) as object }],
      [200, { occurrences: Array(3).fill(expect.any(Object)) }],
      [204, undefined],
      [201, route({ outcome: 'created', revision: 1 })],
      [200, expect.objectContaining({ by: [{ receiver: 'email', by: 'route:welcome' }] })],
      [202, { id: 'signup-1', topic: 'signups.eu', receivers: ['email'], copies: [copy] }],
      [200, expect.objectContaining({ id: copy, topic: 'signups.eu', priority: 1_000 })],
      [202, { id: 'signup-2', topic: 'signups', receivers: [], copies: [], kept }],
      [200, { items: [route({ revision: 1 })] }],
      [200, route({ outcome: 'changed', revision: 2 })],
      [412, expect.objectContaining({ code: 'precondition_failed' })],
      [200, { items: [change('changed'), change('created', 'mails to those who sign up')] }],
      [202, { id: kept, state: 'waiting' }],
      [201, expect.objectContaining({ id: 'balances', outcome: 'created' })],
      [200, expect.objectContaining({ isComplete: true, replies: [balance], missing: [] })],
      [204, undefined],
      [200, { items: [signups] }],
      [202, expect.objectContaining({ id: 'signups', run: expect.any(String) })],
      [200, expect.objectContaining({ name: 'signups', cursor: null })],
      [200, { items: expect.any(Array) as object }],
      [202, { id: 'paid-42', state: 'waiting', durability: 'process-safe' }],
      [200, expect.objectContaining({ id: 'hello-1', room: 'lobby', seq: 1 })],
      [200, expect.objectContaining({ seq: 1, items: [hello] })],
      [202, told],
      [200, expect.objectContaining({ reply: { devices: 1 } })],
      [202, { id: 'welcome-1', state: 'waiting', durability: 'process-safe' }],
      [200, expect.objectContaining({ id: 'welcome-1', type: 'email.send' })],
      [201, expect.objectContaining({ name: 'shop', key: expect.stringMatching(/^cs_/) })],
      [200, expect.objectContaining({ id: 'local', role: 'admin' })],
      [200, { items: expect.any(Array) as object }],
      [200, { items: expect.any(Array) as object }],
      [200, { items: expect.arrayContaining([ofAda]) as object }],
      [200, { items: expect.arrayContaining([ofAda]) as object }],
      [200, { items: expect.arrayContaining([toAda]) as object }],
      [200, { items: [] }],
      [202, { messages: [told, expect.objectContaining({ state: 'delayed' })] }],
      [200, { items: [], complete: true }],
      [200, { state: 'counted', count: 0, matched: 0, more: false }],
      [200, { state: 'redriven', count: 0, matched: 0, more: false }],
      [200, expect.objectContaining({ paused: loud })],
      [200, expect.objectContaining({ paused: loud })],
      [200, expect.not.objectContaining({ paused: expect.anything() as unknown })],
      [200, expect.objectContaining({ status: 'ready' })],
    ]);
    expect(pages[1]).toContain(JSON.stringify(answers[2]?.[1]));
    for (const page of pages.slice(2, 4)) {
      const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
      expect(answers.map(([, answer]) => answer)).toContainEqual(JSON.parse(shown));
    }
    await api.until('welcome-1', 'done');
    const mail = readFileSync(path.join(app.cwd, 'outbox/welcome-1.eml'));
    expect(await simpleParser(mail)).toMatchObject({ subject: 'Welcome, Ada' });
    // What it logs of a webhook that is tried again would be taken for the address of the next process.
    const { id } = answers[0]![1] as { id: string };
    for (const webhook of [id, 'paid-42']) {
      await api.request('DELETE', `/v1/messages/${webhook}`);
      await api.until(webhook, 'cancelled');
    }
  });

  it('refuses a second process on the same folder, in one line, and goes on', async () => {
    const { code, stderr } = await expectExit('standalone', { PORT: '0' }, { cwd: app.cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^callsheet: the folder \\./\\.callsheet is in use by process ${app.pid};.*\n$`),
    );
    expect((await api.request('GET', '/health/ready')).status).toBe(200);
  });

  it('ends by itself after SIGTERM and gives the folder back', async () => {
    expect(await app.stop('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
    const again = await startStandalone({}, app.cwd);
    await eventually(async () => (await again.api.actor('email')).counts.done === 5);
  });
});

interface Request {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

/** The commands in the blocks of a page. */
function curlsOf(page: string): Request[] {
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const lines = blocks.join('').replaceAll('\\\n', '').split('\n');
  return lines.filter((line) => line.startsWith('curl ')).map(parseCurl);
}

/** A curl line as a shell and curl would read it. */
function parseCurl(line: string): Request {
  const words = [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted,
  );
  const after = (flag: string) => words[words.indexOf(flag) + 1] ?? '';
  const headers = words.filter((_, index) => words[index - 1] === '-H');
  const body = words.includes('-d') ? { body: after('-d') } : {};
  return {
    url: words.find((word) => /^(http:|localhost:)/.test(word)) ?? '',
    method: words.includes('-X') ? after('-X') : 'body' in body ? 'POST' : 'GET',
    headers: Object.fromEntries(headers.map((header) => header.split(': ') as [string, string])),
    ...body,
  };
}
