import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { webhookTo, type ApiClient } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { openConsole, type ConsoleStage } from '../support/console.stage.js';
import { startHttpPeer, type HttpPeer } from '../support/http.peer.js';

const CLOSED = 'the shop has closed';

serverSuite('chromium', 'dead letters in the console', () => {
  let stage: ConsoleStage;
  let api: ApiClient;
  let page: Page;
  let peer: HttpPeer;

  beforeAll(async () => {
    [stage, peer] = await Promise.all([openConsole(), startHttpPeer()]);
    ({ api, page } = stage);
  });

  async function deaths(): Promise<number> {
    const { body } = await api.request<{ items: { count: number }[] }>(
      'GET',
      '/v1/dead-letters:groups?type=webhook.deliver',
    );
    return body.items.reduce((sum, { count }) => sum + count, 0);
  }

  /** Webhooks that the peer has refused for good. */
  async function deadWebhooks(count: number, event: string): Promise<string[]> {
    peer.answer({ status: 410, body: CLOSED });
    const before = await deaths();
    const receipts = await api.tellMany(
      Array.from({ length: count }, (_, index) => webhookTo(peer.url, event, { index })),
    );
    const ids = receipts.map(({ id }) => id);
    await expect.poll(deaths, { timeout: 60_000, interval: 250 }).toBe(before + count);
    return ids;
  }

  it('are grouped by what they died of, listed and narrowed by the address', async () => {
    const ids = await deadWebhooks(3, 'shop.closed');
    await stage.go('/dead-letters', 'Dead letters');
    await stage.row(CLOSED).getByText('3').first().waitFor();
    await page.getByRole('link', { name: ids[0] }).waitFor();
    expect(await stage.look('dead letters')).toEqual([]);

    await page.getByRole('table').first().getByRole('link', { name: CLOSED }).click();
    await page.waitForURL(/fingerprint=[0-9a-f]{12}/);
    await page.getByRole('search').getByLabel('Reason').selectOption('crashed');
    await page.waitForURL(/reason=crashed/);
    await stage.shows('No dead letter matches.');
  });

  it('show the stack, refuse bad data, and are redriven with mended data', async () => {
    const [id = ''] = await deadWebhooks(1, 'to.mend');
    await stage.go(`/dead-letters?id=${id}`, /Dead letter/);
    await page.getByLabel('Stack trace').waitFor();
    expect(await page.getByLabel('Stack trace').textContent()).toMatch(/\n\s+at /);
    expect(await stage.look('letter')).toEqual([]);

    const data = page.getByLabel('Data, as it is redriven');
    await data.fill('{"url": 1}');
    await stage.button('Redrive').click();
    await page.getByRole('alert').filter({ hasText: 'data/' }).first().waitFor();
    expect(await stage.besides(data)).toMatch(/^url: /);
    expect(await api.message(id)).toMatchObject({ state: 'dead' });

    peer.answerNext({ status: 204 });
    await data.fill(JSON.stringify(webhookTo(peer.url, 'mended').data));
    await stage.button('Redrive').click();
    await stage.shows('Redriven: it waits again');
    expect(await api.until(id, 'done')).toMatchObject({ data: { event: 'mended' } });
  });

  it('are discarded with a reason, one or several', async () => {
    const [first = '', ...rest] = await deadWebhooks(3, 'to.discard');
    await stage.go(`/dead-letters?id=${first}`, /Dead letter/);
    await stage.act('Discard', 'a test of ours');
    await stage.shows('it is gone for good');

    await stage.go('/dead-letters', 'Dead letters');
    for (const id of rest) await page.getByLabel(`Select ${id}`).check();
    await stage.act('Discard 2 selected', 'tests of ours');
    for (const id of rest) await page.getByLabel(`Select ${id}`).waitFor({ state: 'detached' });
    const { body } = await api.request('GET', `/v1/dead-letters/${rest[0]}`);
    expect(body.status).toBe(404);
  });

  it('are redriven when they are selected', async () => {
    const [id = ''] = await deadWebhooks(1, 'to.select');
    peer.answerNext({ status: 204 });
    await stage.go('/dead-letters?type=webhook.deliver', 'Dead letters');
    await page.getByLabel(`Select ${id}`).check();
    await stage.act('Redrive 1 selected');
    expect(await api.until(id, 'done')).toMatchObject({ redrives: 1 });
  });

  it('are redriven by the filter, in several calls, after they were counted', async () => {
    await deadWebhooks(105, 'to.redrive');
    const total = await deaths();
    peer.answer({ status: 204 });
    await stage.go('/dead-letters?type=webhook.deliver', 'Dead letters');
    await stage.button('Redrive all that match').click();
    await stage.dialog().getByText(`${total} dead letters match type webhook.deliver`).waitFor();
    expect(await stage.look('redrive')).toEqual([]);
    await stage
      .dialog()
      .getByRole('button', { name: `Redrive ${total}` })
      .click();
    await stage.dialog().getByText(`${total} redriven.`).waitFor({ timeout: 40_000 });
    await stage.dialog().getByRole('button', { name: 'Close' }).click();
    await stage.shows('No dead letter matches.');
    expect(await deaths()).toBe(0);
  }, 180_000);

  it('that could not be looked at in time are told of', async () => {
    const groups = '**/v1/dead-letters:groups*';
    const json = { items: [], complete: false, since: '2026-01-01T00:00:00.000Z' };
    await page.route(groups, (route) => route.fulfill({ json }));
    for (const [address, heading] of [
      ['/dead-letters', 'Dead letters'],
      ['/', 'Overview'],
    ] as const) {
      await stage.go(address, heading);
      await stage.shows('There are more dead letters than can be looked at in time');
      expect(await page.getByText('are not counted').getByRole('time').count()).toBe(1);
    }
    await page.unroute(groups);
  });

  it('that are none any more say so', async () => {
    await stage.go('/dead-letters?id=none', 'Dead letter none');
    await stage.shows('This is no dead letter, or no longer');
    expect(await stage.button('Redrive').count()).toBe(0);
  });

  it('have asked nothing elsewhere, and logged no error', () => {
    expect(stage.troubles).toEqual([]);
  });
});
