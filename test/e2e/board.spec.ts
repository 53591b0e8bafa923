import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { webhookTo, type ApiClient } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { openBrowser } from '../support/browser.js';
import { startStandalone } from '../support/deployment.js';
import { startHttpPeer, type HttpPeer } from '../support/http.peer.js';
import { tempDir } from '../support/temp.js';

const REASON = /answered 410: the shop has closed/;

serverSuite('chromium', 'the board in a browser', () => {
  // Set BOARD_SHOTS to a folder to look at the pictures.
  const shots = process.env['BOARD_SHOTS'] ?? tempDir('callsheet-board-');
  let api: ApiClient;
  let peer: HttpPeer;
  let page: Page;
  let id: string;

  beforeAll(async () => {
    const [standalone, browser, http] = await Promise.all([
      startStandalone(),
      openBrowser(),
      startHttpPeer(),
    ]);
    ({ api } = standalone);
    peer = http;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    // The page must do without the network: its fonts come from elsewhere.
    await page.route(
      ({ origin }) => origin !== api.url,
      (route) => route.abort(),
    );
    peer.answer({ status: 410, body: 'the shop has closed' });
    ({ id } = await api.tell(webhookTo(peer.url, 'order.paid')));
    await api.until(id, 'dead');
  });

  it('shows the queues of all actors, in its menu and on its first page', async () => {
    await page.goto(`${api.url}/board`);
    for (const queue of [
      'account',
      'email',
      'email.dead',
      'webhook',
      'webhook.dead',
      'heartbeat',
    ]) {
      await page.getByRole('link', { name: queue, exact: true }).nth(1).waitFor();
    }
    // Both queues of an actor are a group, in the menu too.
    expect(await page.getByRole('button', { name: /^email\b/ }).count()).toBe(2);
    expect(await page.getByText('No workers').count()).toBe(0);
    await page.screenshot({ path: path.join(shots, 'queues.png') });
  });

  it('shows why a message failed', async () => {
    await page.getByRole('link', { name: 'webhook.dead', exact: true }).first().click();
    await page.getByRole('link', { name: id }).waitFor();
    expect(await isSeen(page.getByText(REASON).first())).toBe(true);
    await page.screenshot({ path: path.join(shots, 'dead-letter.png') });
  });

  it('redrives a dead letter with its retry button', async () => {
    peer.answer({ status: 204 });
    await clickIcon(page, 'Retry');
    await page.getByRole('button', { name: 'Confirm' }).click();

    const done = await api.until(id, 'done');
    expect(done).toMatchObject({ redrives: 1, attempts: [{ attempt: 1 }] });
    expect(peer.requests).toHaveLength(2);
    await page.getByText(REASON).first().waitFor({ state: 'detached' });
    await page.screenshot({ path: path.join(shots, 'redriven.png') });
  });

  it('shows the key of a message, and how many stand before it', async () => {
    const pause = (verb: string) => api.request('PUT', `/board/api/queues/account:account/${verb}`);
    expect((await pause('pause')).status).toBe(200);
    const deposit = { type: 'account.deposit', data: { accountId: 'ada', amount: 1 } };
    const { body } = await api.request<{ messages: { id: string }[] }>(
      'POST',
      '/v1/messages:batch',
      { messages: [deposit, deposit, deposit] },
    );
    const last = body.messages.at(-1)!.id;
    await page.goto(`${api.url}/board/queue/account`);
    for (const text of [
      'group: ada, first',
      'group: ada, 1 before it',
      'group: ada, 2 before it',
    ]) {
      await page.getByText(text).waitFor();
    }
    await page.screenshot({ path: path.join(shots, 'keys.png') });
    await page.getByRole('link', { name: last }).click();
    expect(await isSeen(page.getByText('group: ada, 2 before it'))).toBe(true);
    await page.screenshot({ path: path.join(shots, 'key.png') });
    expect((await pause('resume')).status).toBe(200);
    await api.until(last, 'done');
  });
});

/** The buttons of a job are icons without a name: a person finds one by what it shows under the pointer. */
async function clickIcon(page: Page, tooltip: string): Promise<void> {
  const icons = await page.getByRole('main').getByRole('button', { name: /^$/ }).all();
  for (const icon of icons) {
    await icon.hover();
    if (await isSeen(page.getByText(tooltip, { exact: true }))) return icon.click();
  }
  throw new Error(`none of ${icons.length} icons shows '${tooltip}'`);
}

function isSeen(locator: Locator): Promise<boolean> {
  return locator.waitFor({ timeout: 3_000 }).then(
    () => true,
    () => false,
  );
}
