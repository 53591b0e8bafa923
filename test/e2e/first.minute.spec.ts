import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../support/api.client.js';
import { expectExit, type AppProcess } from '../support/app.process.js';
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
    for (const place of ['/v1/messages', '/v1/actors', '/board', '/openapi.json']) {
      expect(welcome.join('\n')).toContain(api.url + place);
    }
  });

  it('answers at every place it names', async () => {
    const at = (place: string) => fetch(api.url + place);
    expect(await (await at('/health/ready')).json()).toEqual({
      status: 'ready',
      store: { name: 'PGlite (embedded)', durability: 'process-safe' },
    });
    expect(await (await at('/openapi.json')).json()).toMatchObject({
      openapi: expect.stringMatching(/^3\.1/),
    });
    const board = await at('/board');
    expect([board.status, await board.text()]).toEqual([200, expect.stringContaining('Callsheet')]);
    const { items } = await api.actors();
    expect(items.map(({ name }) => name)).toEqual(['account', 'email', 'heartbeat', 'webhook']);
  });

  it('sends a mail when the printed command is pasted', async () => {
    const { url, headers, body } = parseCurl(welcome.find((line) => /^ *curl /.test(line)) ?? '');
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await api.until(id, 'done');

    const { to, subject, text } = (
      JSON.parse(body) as { data: { to: string; subject: string; text: string } }
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
    await eventually(async () => (await again.api.actor('email')).counts.done === 1);
  });
});

/** URL, headers and body of a curl line, as a shell would read it. */
function parseCurl(line: string): { url: string; headers: Record<string, string>; body: string } {
  const words = [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted,
  );
  const after = (flag: string) => words[words.indexOf(flag) + 1] ?? '';
  const [name = '', value = ''] = after('-H').split(': ');
  return {
    url: words.find((word) => word.startsWith('http')) ?? '',
    headers: { [name]: value },
    body: after('-d'),
  };
}
