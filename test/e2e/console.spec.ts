import { Actor, CallsheetModule, Handle, Message, QuarantineError } from '@callsheet/messaging';
import type { Page, Route } from 'playwright-core';
import { beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ApiModule, createHttpApp } from '../../apps/api/src/index.js';
import { ApiClient, mailTo, webhookTo } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { atEnd } from '../support/cleanup.js';
import { consoleOf, openConsole, type ConsoleStage } from '../support/console.stage.js';
import { eventually } from '../support/eventually.js';
import { startHttpPeer, type HttpPeer } from '../support/http.peer.js';

// A browser, an app and its store share the machine with other files.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const PATIENCE = 60_000;

/** Why things are changed. */
const REASON = 'because of the test';

/** What the first page may cost, as it goes over the wire. */
const BUDGET = 200_000;

serverSuite('chromium', 'the console in a browser', () => {
  let stage: ConsoleStage;
  let api: ApiClient;
  let page: Page;
  let peer: HttpPeer;
  /** Of a webhook that its receiver has refused for good. */
  let dead: string;

  beforeAll(async () => {
    [stage, peer] = await Promise.all([openConsole(), startHttpPeer()]);
    ({ api, page } = stage);
    peer.answer({ status: 410, body: 'the shop has closed' });
    ({ id: dead } = await api.tell(webhookTo(peer.url, 'order.paid')));
    await api.until(dead, 'dead', PATIENCE);
  });

  it('loads within its budget, from its own origin', async () => {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await stage.go('/', 'Overview');
    await page.getByText('dead letter of webhook.deliver').waitFor();
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(BUDGET);
    await session.detach();
  });

  it('says what needs attention, and leads there', async () => {
    await stage.go('/', 'Overview');
    const letter = page.getByRole('link', {
      name: /1 dead letter of webhook.deliver: .*answered 410/,
    });
    await letter.waitFor();
    expect(await stage.look('overview')).toEqual([]);
    await letter.click();
    await stage.at('Dead letters');
    expect(page.url()).toMatch(/\/dead-letters\?fingerprint=[0-9a-f]{12}$/);
  });

  it('tells why a message failed, and redrives it', async () => {
    await stage.go(`/messages/${dead}`, 'webhook.deliver');
    await page.getByText('Attempt 1 failed').waitFor();
    await page.getByText('EndpointGoneError').first().waitFor();
    expect(await stage.look('message-dead')).toEqual([]);
    expect(await page.getByRole('link', { name: 'Edit and redrive' }).getAttribute('href')).toBe(
      `/dead-letters?id=${dead}`,
    );

    peer.answer({ status: 204 });
    await stage.act('Redrive', REASON);
    await page.getByText('done', { exact: true }).waitFor();
    await page.getByText('Redriven once').waitFor();
    expect(await api.message(dead)).toMatchObject({ state: 'done', redrives: 1 });
    expect(await stage.look('message-done')).toEqual([]);
    const { items } = (await api.request<{ items: object[] }>('GET', '/v1/audit?limit=100')).body;
    expect(items).toContainEqual(expect.objectContaining({ reason: REASON }));
  });

  it('leads to the board, and from there back', async () => {
    await stage.go(`/messages/${dead}`, 'webhook.deliver');
    const job = page.getByRole('link', { name: 'On the board' });
    // The board asks for fonts of elsewhere, which the console must not: it has a page of its own here.
    const board = await stage.browser.newPage();
    await board.goto(api.url + (await job.getAttribute('href')));
    const back = board.getByRole('link', { name: 'Message', exact: true }).first();
    await back.waitFor();
    expect(await back.getAttribute('href')).toBe(`/messages/${dead}`);
    await board.close();
  });

  it('cancels a message, with a reason', async () => {
    const { id } = await api.tell({ ...mailTo('ada@example.org'), delay: '1h' });
    await stage.go(`/messages/${id}`, 'email.send');
    await page.getByText('delayed', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel message' }).click();
    const dialog = page.getByRole('dialog');
    expect(await stage.look('cancel')).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel message' }).click();
    // Without a reason the browser refuses.
    expect((await api.message(id)).state).toBe('delayed');
    await stage.confirm('Cancel message', REASON);
    await page.getByText('cancelled', { exact: true }).waitFor();
    expect((await api.message(id)).state).toBe('cancelled');
  });

  it('keeps a dialog open until its call is answered, and makes the call again with the same key', async () => {
    const { id } = await api.tell({ ...mailTo('ada@example.org'), delay: '1h' });
    await stage.go(`/messages/${id}`, 'email.send');
    const keys: (string | undefined)[] = [];
    const held: Route[] = [];
    await page.route(`**/v1/messages/${id}`, (route) => {
      if (route.request().method() !== 'DELETE') return route.continue();
      keys.push(route.request().headers()['idempotency-key']);
      if (keys.length > 1) return route.continue();
      held.push(route);
    });
    const dialog = page.getByRole('dialog');
    const reason = dialog.getByLabel('Reason');
    await page.getByRole('button', { name: 'Cancel message' }).click();
    await reason.fill('of another time');
    await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel message' }).click();
    expect(await reason.inputValue()).toBe('');

    // Blanks are no reason: the browser refuses.
    await reason.fill('   ');
    await dialog.getByRole('button', { name: 'Cancel message' }).click();
    await reason.fill(REASON);
    await dialog.getByRole('button', { name: 'Cancel message' }).click();
    await expect.poll(() => held.length, { timeout: PATIENCE }).toBe(1);
    await page.keyboard.press('Escape');
    expect(await dialog.getByRole('button', { name: 'Cancel', exact: true }).isDisabled()).toBe(
      true,
    );
    await held[0]?.abort();
    await dialog.getByText('the API does not answer').waitFor();
    await stage.confirm('Cancel message');
    await page.unroute(`**/v1/messages/${id}`);
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect((await api.message(id)).state).toBe('cancelled');
  });

  it('shows what has led to a message, and what it has led to', async () => {
    const account = 'ada';
    const money = { accountId: account, amount: 500 };
    await api.request('POST', '/v1/messages:ask', { type: 'account.deposit', data: money });
    const transfer = { ...money, to: 'grace', amount: 200 };
    const asked = await api.request<{ id: string }>('POST', '/v1/messages:ask', {
      type: 'account.transfer',
      data: transfer,
    });
    const effects = await eventually(
      async () => {
        const list = await api.request<{ items: { id: string; causationId?: string }[] }>(
          'GET',
          '/v1/messages?actor=account&key=grace',
        );
        const found = list.body.items.filter(({ causationId }) => causationId === asked.body.id);
        expect(found).toHaveLength(1);
        return found;
      },
      { timeout: PATIENCE },
    );
    await stage.go(`/messages/${effects[0]?.id}`, 'account.deposit');
    const cause = page.getByRole('link', { name: asked.body.id });
    await cause.waitFor();
    expect(await stage.look('message-caused')).toEqual([]);
    await cause.click();
    await stage.at('account.transfer');
    await page.getByRole('heading', { name: 'Effects' }).waitFor();
    expect(await stage.look('message-effects')).toEqual([]);
    const effect = page.getByRole('listitem').filter({ hasText: effects[0]!.id });
    await effect.getByText('done').waitFor();
    await effect.getByRole('link').click();
    await stage.at('account.deposit');
  });

  it('finds messages by a value in their data, which stands in the address', async () => {
    const mail = (to: string, delay: string): Parameters<ApiClient['tell']>[0] => ({
      type: 'email.send',
      data: { to, subject: 'Found', text: 'Here.' },
      delay,
    });
    const wanted = [
      await api.tell(mail('eve@example.org', '1h')),
      await api.tell(mail('eve@example.org', '2h')),
    ];
    await api.tell(mail('mallory@example.org', '1h'));
    await stage.go('/messages', 'Messages');
    const value = page.getByLabel('Value');
    await value.fill('data.to:eve@example.org');
    await value.press('Enter');
    const rows = page.getByRole('table', { name: 'Messages' }).getByRole('row');
    await eventually(async () => expect(await rows.count()).toBe(3));
    expect(await rows.nth(1).textContent()).toContain(wanted[1]!.id);
    expect(new URL(page.url()).searchParams.get('q')).toBe('data.to:eve@example.org');
    expect(await stage.look('messages-found')).toEqual([]);
    await value.fill('data.subject:Found');
    await value.press('Enter');
    await page.getByText('names no field that can be searched').waitFor();
    expect(await stage.look('messages-not-searchable')).toEqual([]);
  });

  it('lists messages by what the address says, and opens one by its id', async () => {
    const id = 'invoice 7/a%2Fb+ü';
    await api.tell({ ...mailTo('ada@example.org'), id, delay: '1h' });
    await stage.go('/messages', 'Messages');
    await page.getByText('Choose an actor').waitFor();
    await page.getByLabel('Actor').selectOption('email');
    await page.getByLabel('State').selectOption('delayed');
    await page.getByRole('link', { name: id }).waitFor();
    expect(new URL(page.url()).search).toBe('?actor=email&state=delayed');
    expect(await stage.look('messages')).toEqual([]);
    await page.reload();
    await page.getByRole('link', { name: id }).click();
    await page.getByText(id, { exact: true }).waitFor();

    await page.goBack();
    await page.getByLabel('Type').fill('email.other');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('There are none.').waitFor();

    await page.getByRole('searchbox', { name: 'By id' }).fill(id);
    await page.getByRole('button', { name: 'Open' }).click();
    await stage.at('email.send');
    await page.getByText(id, { exact: true }).waitFor();
    await stage.go('/messages/none', 'Message');
    expect(await page.getByRole('alert').textContent()).toMatch(/no message with the id 'none'/);
  });

  it('keeps a filter that it knows nothing of', async () => {
    for (const address of ['/messages?actor=gone', '/dead-letters?actor=gone&reason=lost']) {
      await stage.go(address);
      expect(await page.getByLabel('Actor').inputValue()).toBe('gone');
      await page.getByRole('button', { name: 'Search' }).click();
      expect(page.url()).toBe(api.url + address);
    }
  });

  it('keeps a list when it cannot be asked for again, and says so', async () => {
    const { id } = await api.tell({ ...mailTo('ada@example.org'), delay: '1h' });
    await stage.go('/messages?actor=email&state=delayed', 'Messages');
    await page.getByRole('link', { name: id }).waitFor();
    const refusal = { code: 'bad_request', detail: 'not now' };
    await page.route('**/v1/messages?*', (route) => route.fulfill({ status: 400, json: refusal }));
    await page.getByRole('alert').getByText('not now').waitFor();
    expect(await page.getByRole('link', { name: id }).isVisible()).toBe(true);
    await page.unroute('**/v1/messages?*');
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('shows all actors', async () => {
    await stage.go('/actors', 'Actors');
    await page.getByRole('link', { name: 'webhook' }).waitFor();
    expect(await stage.look('actors')).toEqual([]);
  });

  it('shows one actor, pauses it with a reason and lets it go on', async () => {
    await stage.go('/actors/email', 'email');
    await page.getByText('email.send').click();
    await page.getByLabel('JSON Schema of email.send').waitFor();
    expect(await stage.look('actor')).toEqual([]);
    await stage.act('Pause', REASON);
    await page.getByText(REASON).getByText('by local').waitFor();
    expect((await api.actor('email')).paused?.reason).toBe(REASON);
    await stage.go('/', 'Overview');
    await page.getByRole('link', { name: `Actor email: ${REASON}` }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    expect((await api.actor('email')).paused).toBeUndefined();
  });

  it('shows keys by age and depth, and what one holds', async () => {
    peer.answer('silence');
    const endpoint = 'a/b%2Fc d';
    for (const event of ['one', 'two', 'three']) {
      const { data } = webhookTo(peer.url, event);
      await api.tell({ type: 'webhook.deliver', data: { ...data, endpoint } });
    }
    await stage.go('/actors/webhook', 'webhook');
    await page.getByRole('button', { name: 'Fullest first' }).click();
    expect(new URL(page.url()).search).toBe('?by=depth');
    await page.getByRole('link', { name: `3 messages of ${endpoint}` }).waitFor();
    expect(await stage.look('actor-keys')).toEqual([]);
    await page.getByRole('link', { name: endpoint, exact: true }).click();
    await stage.at(endpoint);
    await page.getByText('parked').nth(1).waitFor();
    await page.getByRole('link', { name: 'All messages of this key' }).click();
    await page.getByText('parked').nth(1).waitFor();
    peer.answer({ status: 204 });
  });

  it('shows state and journal of a key, a page at a time', async () => {
    for (let n = 1; n <= 25; n++) {
      await api.request('POST', '/v1/rooms/lobby/messages', { author: 'ada', text: `hello ${n}` });
    }
    await stage.go('/actors/chat/keys/lobby', 'lobby');
    await page.getByText('"seq": 25').waitFor();
    await page.getByText('"text":"hello 25"').waitFor();
    expect(await stage.look('key')).toEqual([]);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('"text":"hello 1"').waitFor();
    await page.reload();
    await page.getByText('"text":"hello 1"').waitFor();
    await page.getByRole('button', { name: 'First' }).click();
    await page.getByText('"text":"hello 25"').waitFor();
  });

  it('follows what happens; when it cannot it says so, and comes back by itself', async () => {
    const light = page.getByRole('status');
    await stage.go('/actors', 'Actors');
    await light.getByText('live').waitFor();
    await page.route('**/v1/events', (route) => route.abort());
    await page.reload();
    await light.getByText('polling').waitFor();
    await page.unroute('**/v1/events');
    await light.getByText('live').waitFor();
    expect(await light.textContent()).toBe('live');
  });

  it('shows what events tell of, without asking for it now and then', async () => {
    const context = await stage.browser.newContext();
    // Whatever is asked for now and then is asked for by this.
    await context.addInitScript('window.setInterval = () => 0');
    const follower = await context.newPage();
    follower.setDefaultTimeout(PATIENCE);
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    await follower.route('**/v1/events', (route) => opened.then(() => route.continue()));
    await follower.goto(`${api.url}/messages?actor=email&state=delayed&type=email.send`);
    await follower.getByRole('table').or(follower.getByText('There are none.')).waitFor();
    // When the stream begins the list is asked for once more; from then on only events have it asked for.
    const again = follower.waitForResponse((response) => response.url().includes('/v1/messages?'));
    open();
    await again;
    await follower.getByRole('status').getByText('live').waitFor();
    const { id } = await api.tell({ ...mailTo('ada@example.org'), delay: '1h' });
    const link = follower.getByRole('link', { name: id });
    await link.waitFor();
    expect(await link.count()).toBe(1);
    await context.close();
  });

  it('has done nothing that it must not', () => {
    expect(stage.troubles).toEqual([]);
  });
});

class Open extends Message('vault.open', z.object({ vault: z.string() }), { key: 'vault' }) {}

@Actor()
class VaultActor {
  static isMended = false;

  @Handle(Open)
  open({ vault }: Open): void {
    if (!VaultActor.isMended) throw new QuarantineError(`the lock of ${vault} is jammed`);
  }
}

serverSuite('chromium', 'the console and who may', () => {
  const KEY = 'k'.repeat(32);
  let admin: ConsoleStage;
  let url: string;

  beforeAll(async () => {
    class VaultModule {}
    const messages = [Open];
    const app = await createHttpApp(
      {
        module: VaultModule,
        imports: [CallsheetModule.forRoot({ url: 'memory:', messages }), ApiModule],
        providers: [VaultActor],
      },
      { apiKey: KEY },
    );
    app.useLogger(false);
    atEnd(() => app.close());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    admin = await consoleOf(new ApiClient(url), KEY);
    await as(KEY, 'POST', '/v1/messages', { type: 'vault.open', data: { vault: 'north' } });
  });

  async function as<T>(key: string, method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(response.ok, `${method} ${path} answered ${response.status}`).toBe(true);
    return (await response.json()) as T;
  }

  it('shows a viewer what he may see, and nothing that he may not do', async () => {
    const { key } = await as<{ key: string }>(KEY, 'POST', '/v1/api-keys', {
      name: 'viewer',
      role: 'viewer',
    });
    const viewer = await consoleOf(new ApiClient(url), key);
    await viewer.go('/actors/vault', 'vault');
    await viewer.page.getByRole('link', { name: 'north', exact: true }).waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await viewer.page.getByRole('link', { name: 'north', exact: true }).click();
    await viewer.page.getByText('you may not look into it').waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Release' }).count()).toBe(0);
    expect(await viewer.page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    expect(viewer.troubles).toEqual([]);
  });

  it('shows somebody of one tenant what is told apart by tenant, and says what is not', async () => {
    const { key } = await as<{ key: string }>(KEY, 'POST', '/v1/api-keys', {
      name: 'acme',
      role: 'admin',
      tenant: 'acme',
    });
    const tenant = await consoleOf(new ApiClient(url), key);
    const { page } = tenant;
    await tenant.go('/', 'Overview');
    await page.getByText('for those who may read all tenants').waitFor();
    const menu = page.getByRole('navigation', { name: 'Pages' }).first();
    expect(await menu.getByRole('link').allTextContents()).toEqual([
      'Overview',
      'Messages',
      'Dead letters',
    ]);
    expect(await page.getByRole('link', { name: 'Board' }).count()).toBe(0);
    await tenant.go('/dead-letters', 'Dead letters');
    await page.getByText('No dead letter matches.').first().waitFor();
    const later = { type: 'vault.open', data: { vault: 'south' }, delay: '1h' };
    const own = await as<{ id: string }>(key, 'POST', '/v1/messages', later);
    await as(KEY, 'POST', '/v1/messages', later);
    await tenant.go('/messages', 'Messages');
    const rows = page.getByRole('table', { name: 'Messages' }).getByRole('row');
    await eventually(async () => expect(await rows.count()).toBe(2));
    expect(await rows.nth(1).textContent()).toContain(own.id);
    await tenant.go('/schedules', 'Schedules');
    await page.getByText('it needs the permission schedules:read').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(tenant.troubles).toEqual([]);
  });

  it('tells why a key stands still, and lets it go on', async () => {
    const { page } = admin;
    await admin.go('/', 'Overview');
    await page.getByRole('link', { name: 'A key stands still: vault' }).click();
    await page.getByRole('link', { name: 'north', exact: true }).click();
    await page.getByText('the lock of north is jammed').first().waitFor();
    await page.getByLabel('Stack trace of QuarantineError').waitFor();
    expect(await admin.look('key-quarantined')).toEqual([]);
    VaultActor.isMended = true;
    await admin.act('Release', REASON);
    await page.getByLabel('Stack trace of QuarantineError').waitFor({ state: 'detached' });
    await admin.go('/', 'Overview');
    await page.getByText('Nothing.', { exact: true }).waitFor();
    expect(admin.troubles).toEqual([]);
  });
});
