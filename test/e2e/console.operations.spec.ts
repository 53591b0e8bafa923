import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { webhookTo, type ApiClient } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { consoleOf, openConsole, type ConsoleStage } from '../support/console.stage.js';
import { startHttpPeer, type HttpPeer } from '../support/http.peer.js';
import { tempDir } from '../support/temp.js';

const CLOSED = 'the shop has closed';

serverSuite('chromium', 'the console where operators work', () => {
  let stage: ConsoleStage;
  let api: ApiClient;
  let page: Page;
  let peer: HttpPeer;

  beforeAll(async () => {
    const signups = path.join(tempDir('callsheet-signups-'), 'signups.csv');
    writeFileSync(signups, 'id,email,name\n1,ada@example.org,Ada\n2,nowhere,Bob\n');
    [stage, peer] = await Promise.all([openConsole({ SIGNUPS_FILE: signups }), startHttpPeer()]);
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

  async function schedule(id: string, body: object): Promise<void> {
    const message = webhookTo(peer.url, 'order.paid');
    const answer = await api.request('POST', '/v1/schedules', { id, message, ...body });
    expect([answer.status, answer.body]).toMatchObject([201, { id }]);
  }

  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const dialog = () => page.getByRole('dialog');
  const shows = (text: string | RegExp) => page.getByText(text).first().waitFor();
  /** What is said of a field below it. */
  const besides = (field: Locator) => field.locator('xpath=following-sibling::small').textContent();
  /** The line of a table that says this. */
  const row = (text: string | RegExp) => page.getByRole('row').filter({ hasText: text });

  describe('dead letters', () => {
    it('are grouped by what they died of, listed and narrowed by the address', async () => {
      const ids = await deadWebhooks(3, 'shop.closed');
      await stage.go('/dead-letters', 'Dead letters');
      await row(CLOSED).getByText('3').first().waitFor();
      await page.getByRole('link', { name: ids[0] }).waitFor();
      expect(await stage.look('dead letters')).toEqual([]);

      await page.getByRole('table').first().getByRole('link', { name: CLOSED }).click();
      await page.waitForURL(/fingerprint=[0-9a-f]{12}/);
      await page.getByRole('search').getByLabel('Reason').selectOption('crashed');
      await page.waitForURL(/reason=crashed/);
      await shows('No dead letter matches.');
    });

    it('show the stack, refuse bad data, and are redriven with mended data', async () => {
      const [id = ''] = await deadWebhooks(1, 'to.mend');
      await stage.go(`/dead-letters?id=${id}`, /Dead letter/);
      await page.getByLabel('Stack trace').waitFor();
      expect(await page.getByLabel('Stack trace').textContent()).toMatch(/\n\s+at /);
      expect(await stage.look('letter')).toEqual([]);

      const data = page.getByLabel('Data, as it is redriven');
      await data.fill('{"url": 1}');
      await button('Redrive').click();
      await page.getByRole('alert').filter({ hasText: 'data/' }).first().waitFor();
      expect(await besides(data)).toMatch(/^url: /);
      expect(await api.message(id)).toMatchObject({ state: 'dead' });

      peer.answerNext({ status: 204 });
      await data.fill(JSON.stringify(webhookTo(peer.url, 'mended').data));
      await button('Redrive').click();
      await shows('Redriven: it waits again');
      expect(await api.until(id, 'done')).toMatchObject({ data: { event: 'mended' } });
    });

    it('are discarded with a reason, one or several', async () => {
      const [first = '', ...rest] = await deadWebhooks(3, 'to.discard');
      await stage.go(`/dead-letters?id=${first}`, /Dead letter/);
      await stage.act('Discard', 'a test of ours');
      await shows('it is gone for good');

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
      await button('Redrive all that match').click();
      await dialog().getByText(`${total} dead letters match type webhook.deliver`).waitFor();
      expect(await stage.look('redrive')).toEqual([]);
      await dialog()
        .getByRole('button', { name: `Redrive ${total}` })
        .click();
      await dialog().getByText(`${total} redriven.`).waitFor({ timeout: 40_000 });
      await dialog().getByRole('button', { name: 'Close' }).click();
      await shows('No dead letter matches.');
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
        await shows('There are more dead letters than can be looked at in time');
        expect(await page.getByText('are not counted').getByRole('time').count()).toBe(1);
      }
      await page.unroute(groups);
    });

    it('that are none any more say so', async () => {
      await stage.go('/dead-letters?id=none', 'Dead letter none');
      await shows('This is no dead letter, or no longer');
      expect(await button('Redrive').count()).toBe(0);
    });
  });

  describe('schedules', () => {
    it('are listed with what comes next and how the last runs ended', async () => {
      await schedule('monthly', { cron: '0 9 1 * *', tags: ['money'] });
      await stage.go('/schedules', 'Schedules');
      await row('shows that schedules fire')
        .getByText('succeeded', { exact: true })
        .waitFor({ timeout: 30_000 });
      await page
        .getByRole('img', { name: /run.*succeeded; at most .* late/ })
        .first()
        .waitFor();
      expect(await stage.look('schedules')).toEqual([]);

      await page.getByLabel('Tag').fill('money');
      await button('Search').click();
      await page.waitForURL(/tag=money/);
      await row('shows that schedules fire').waitFor({ state: 'detached' });
      await row('monthly').waitFor();
    });

    it('stand in a calendar', async () => {
      const soon = new Date(Date.now() + 86_400_000).toISOString();
      await schedule('once', { at: soon });
      await schedule('hourly', { cron: '30 * * * *' });
      await stage.go('/schedules?view=calendar&days=3', 'Schedules');
      await page.getByRole('listitem').filter({ hasText: 'once' }).waitFor();
      await page.getByRole('listitem').filter({ hasText: '24 times' }).first().waitFor();
      await shows('More than 100 times within these days');
      expect(await stage.look('calendar')).toEqual([]);
      await page.getByRole('link', { name: 'Today' }).click();
      await page.waitForURL(/days=1/);
    });

    it('are made with a preview and its warnings, changed and deleted', async () => {
      await stage.go('/schedules/new', 'New schedule');
      await page.getByLabel('Id', { exact: true }).fill('no id');
      await page.getByRole('textbox', { name: 'Pattern' }).fill('30 2 * * *');
      await page.getByLabel('Time zone').fill('Europe/Madrid');
      await shows('At 02:30 every day (Europe/Madrid).');
      await page.getByLabel('Id', { exact: true }).fill('report');
      await page
        .getByText(/the clocks go from/)
        .first()
        .waitFor();
      await page.getByLabel('Message', { exact: true }).fill('webhook.deliver');
      await expect
        .poll(() => page.getByLabel('Data of the message').inputValue(), { timeout: 15_000 })
        .toContain('"url": ""');
      expect(await stage.look('new schedule')).toEqual([]);

      await page.getByLabel('Data of the message').fill('{"url": 1}');
      await button('Create').click();
      await page.getByRole('alert').filter({ hasText: 'message/data/url' }).waitFor();
      expect(await besides(page.getByLabel('Data of the message'))).toMatch(/^url: /);
      const { data } = webhookTo(peer.url, 'report');
      await page.getByLabel('Data of the message').fill(JSON.stringify(data));
      await page.getByLabel('Tags').fill('money, daily');
      await button('Create').click();
      await stage.at('report');
      await shows('At 02:30 every day (Europe/Madrid).');

      await button('Change').click();
      await page.getByRole('textbox', { name: 'Pattern' }).fill('not a pattern');
      await page.getByRole('alert').filter({ hasText: 'cron' }).waitFor();
      await page.getByRole('textbox', { name: 'Pattern' }).fill('45 3 * * *');
      expect(await stage.look('change schedule')).toEqual([]);
      await button('Save').click();
      await button('Change').waitFor();
      await shows('At 03:45 every day (Europe/Madrid).');
      const { body } = await api.request<object>('GET', '/v1/schedules/report');
      expect(body).toMatchObject({
        cron: '45 3 * * *',
        tags: ['money', 'daily'],
        message: { data },
      });

      await stage.act('Delete', 'made for a test');
      await stage.at('Schedules');
      expect((await api.request('GET', '/v1/schedules/report')).status).toBe(404);
    });

    it('do not overwrite what somebody else has changed meanwhile', async () => {
      await schedule('shared', { cron: '0 9 * * *' });
      const change = async (cron: string) => {
        const message = webhookTo(peer.url, 'order.paid');
        await api.request('PUT', '/v1/schedules/shared', { message, cron });
      };
      const cron = async () => {
        const { body } = await api.request<{ cron: string }>('GET', '/v1/schedules/shared');
        return body.cron;
      };
      await stage.go('/schedules/of/shared?edit=yes', 'Change shared');
      await page.getByRole('textbox', { name: 'Pattern' }).fill('0 11 * * *');
      await change('0 10 * * *');
      await button('Save').click();
      await page.getByRole('alert').filter({ hasText: 'look at it, and decide' }).waitFor();
      expect(await cron()).toBe('0 10 * * *');

      // As it is now, it can be changed.
      await stage.go('/schedules/of/shared?edit=yes', 'Change shared');
      await page.getByRole('textbox', { name: 'Pattern' }).fill('0 11 * * *');
      await button('Save').click();
      await button('Change').waitFor();
      expect(await cron()).toBe('0 11 * * *');
    });

    it('are paused with a reason, resumed, triggered and backfilled after a count', async () => {
      peer.answer({ status: 204 });
      await schedule('steered', { cron: '0 9 * * *' });
      await stage.go('/schedules/of/steered', 'steered');
      await button('Pause').click();
      await page.keyboard.type('the shop is shut');
      await stage.confirm('Pause');
      const pause = page.getByRole('definition').filter({ hasText: 'the shop is shut' });
      await pause.getByText('by local').waitFor();
      expect(await stage.look('paused schedule')).toEqual([]);
      await button('Resume').click();
      await button('Pause').waitFor();

      await stage.act('Trigger now');
      await row('succeeded').filter({ hasText: 'manual' }).waitFor({ timeout: 20_000 });

      await button('Backfill').click();
      await dialog().getByLabel('After', { exact: true }).fill('');
      await dialog().getByText('Something is not filled in.').waitFor();
      await dialog().getByLabel('After', { exact: true }).fill('2026-01-01T00:00');
      await dialog().getByLabel('Up to').fill('2026-01-04T00:00');
      await dialog().getByText('3 occurrences were due in that time').waitFor();
      expect(await stage.look('backfill')).toEqual([]);
      await dialog().getByRole('button', { name: 'Start 3 runs' }).click();
      await dialog().getByText('3 runs are under way').waitFor();
      await dialog().getByRole('button', { name: 'Close' }).click();
      await expect
        .poll(() => row('backfill').filter({ hasText: 'succeeded' }).count(), { timeout: 20_000 })
        .toBe(3);
      expect(await stage.look('schedule')).toEqual([]);
    });

    it('that fail lead to the stack trace and the retry in at most four clicks', async () => {
      peer.answer({ status: 410, body: CLOSED });
      await schedule('failing', { cron: '0 9 * * *' });
      expect((await api.request('POST', '/v1/schedules/failing/trigger')).status).toBe(202);
      await stage.go('/schedules', 'Schedules');
      await row('failing').getByText('failed', { exact: true }).waitFor({ timeout: 45_000 });

      let clicks = 0;
      await page.exposeFunction('countClick', () => clicks++);
      await page.addInitScript(
        "addEventListener('click', () => globalThis.countClick(), { capture: true })",
      );
      await page.evaluate(
        "addEventListener('click', () => globalThis.countClick(), { capture: true })",
      );
      await page.getByRole('link', { name: 'failing' }).click();
      await page.getByRole('link', { name: 'Stack trace, redrive' }).click();
      await page.getByLabel('Stack trace').waitFor();
      peer.answerNext({ status: 204 });
      const requests = peer.requests.length;
      await button('Redrive').click();
      await shows('Redriven: it waits again');
      await expect.poll(() => peer.requests.length, { timeout: 15_000 }).toBe(requests + 1);
      expect(clicks).toBe(3);
    });

    it('that fail are told on the overview, the others not', async () => {
      const others = Array.from({ length: 5 }, (_, n) => `other-${n}`);
      for (const id of others) await schedule(id, { cron: '0 9 * * *' });
      await schedule('the-last', { cron: '0 9 * * *' });
      peer.answer({ status: 410, body: CLOSED });
      await api.request('POST', '/v1/schedules/the-last/trigger');
      await stage.go('/', 'Overview');
      await page
        .getByRole('link', { name: /^Schedule the-last: 1 run failed in a row, .* 410/ })
        .click();
      await stage.at('the-last');
      await stage.go('/schedules?state=troubled', 'Schedules');
      await row('the-last').waitFor();
      expect(await row('other-').count()).toBe(0);
      for (const id of [...others, 'the-last']) await api.request('DELETE', `/v1/schedules/${id}`);
    });

    it('that code declares are triggered and paused, not changed', async () => {
      const { items } = await api.schedules();
      const id = items.find(({ owner }) => owner === 'heartbeat')?.id ?? '';
      await stage.go(`/schedules/of/${encodeURIComponent(id)}`, id);
      await button('Trigger now').waitFor();
      await shows('heartbeat, in its code: it is changed and removed there');
      expect(await button('Change').count()).toBe(0);
      await page.getByRole('img', { name: /^Drift: / }).waitFor();
      expect(await stage.look('declared schedule')).toEqual([]);
    });
  });

  describe('pipelines', () => {
    it('are listed, and their bad rows lead to their dead letters', async () => {
      await stage.go('/sync', 'Sync');
      await row('signups')
        .getByRole('link', { name: '1', exact: true })
        .waitFor({ timeout: 45_000 });
      expect(await stage.look('sync')).toEqual([]);
      await row('signups').getByRole('link', { name: '1', exact: true }).click();
      await page.waitForURL(/\/dead-letters\?actor=signups/);
      await row('signups.row').first().waitFor();
    });

    it('are paused with a reason, resumed, run, backfilled and reset with a reason', async () => {
      await stage.go('/sync/signups', 'signups');
      await row('done').first().waitFor();
      await stage.act('Pause', 'the file is being mended');
      const pause = page.getByRole('definition').filter({ hasText: 'the file is being mended' });
      await pause.getByText('by local').waitFor();
      expect(await stage.look('pipeline')).toEqual([]);
      await button('Resume').click();
      await button('Run now').waitFor();
      await row('resumed').waitFor();
      await button('Run now').click();
      await row('manual').waitFor({ timeout: 20_000 });

      await button('Backfill').click();
      await dialog().getByLabel('From, a cursor').fill('{"offset": 0');
      await dialog()
        .getByText(/no JSON/)
        .waitFor();
      await dialog().getByLabel('From, a cursor').fill('');
      await stage.confirm('Backfill');
      await row('backfill').filter({ hasText: 'done' }).waitFor({ timeout: 20_000 });

      await button('Reset').click();
      expect(await stage.look('reset')).toEqual([]);
      await stage.confirm('Reset', 'read it all again');
      await row('reset').waitFor();
    });
  });

  describe('routes', () => {
    const rule = { order: 10, match: { topic: 'order.*' }, to: ['account'] };

    it('are made from JSON that the API checks, tried, changed and deleted', async () => {
      await stage.go('/routes', 'Routes');
      await shows('No route is stored');
      await page.getByRole('link', { name: 'New route' }).click();
      await page.getByLabel('Id', { exact: true }).fill('to-account');
      await page
        .getByLabel('Rule')
        .fill(JSON.stringify({ ...rule, match: { when: 'data.total >' } }));
      await button('Create').click();
      await page.getByRole('alert').filter({ hasText: 'match/when' }).waitFor();
      await page.getByLabel('Rule').fill(JSON.stringify(rule));
      await page.getByLabel('Type').fill('webhook.deliver');
      await page.getByLabel('Topic').fill('order.paid');
      await page
        .getByLabel('Data', { exact: true })
        .fill(JSON.stringify(webhookTo(peer.url, 'paid').data));
      await button('Test with this route').click();
      await row('route:to-account').waitFor();
      expect(await stage.look('new route')).toEqual([]);
      await button('Create').click();
      await stage.at('Route to-account');
      await row('created').waitFor();

      await button('Change').click();
      await page.getByLabel('Rule').fill(JSON.stringify({ ...rule, order: 20, disabled: true }));
      await page.getByLabel('Reason').fill('while the books are closed');
      await button('Save').click();
      await row('while the books are closed').waitFor();
      expect(await stage.look('route')).toEqual([]);
      await stage.go('/routes', 'Routes');
      await row('disabled').waitFor();
      expect(await stage.look('routes')).toEqual([]);

      await page.getByRole('link', { name: 'to-account' }).click();
      await stage.act('Delete', 'was a trial');
      await shows('No route is stored');
      const { status } = await api.request('GET', '/v1/routes/to-account');
      expect(status).toBe(404);
    });

    it('do not overwrite what somebody else has changed meanwhile', async () => {
      await api.request('PUT', '/v1/routes/shared', rule);
      await stage.go('/routes?id=shared&edit=yes', 'Change route shared');
      await api.request('PUT', '/v1/routes/shared', { ...rule, order: 11 });
      await page.getByLabel('Rule').fill(JSON.stringify({ ...rule, order: 12 }));
      await button('Save').click();
      await page.getByRole('alert').waitFor();
      const { body } = await api.request<{ order: number }>('GET', '/v1/routes/shared');
      expect(body.order).toBe(11);
    });
  });

  it('shows who changed what and why, page by page', async () => {
    await stage.go('/audit', 'Audit');
    await row('was a trial').getByText('DELETE /v1/').waitFor();
    await row('create').getByRole('link', { name: 'routes/shared' }).first().waitFor();
    await row('while the books are closed')
      .getByText(/^order, /)
      .click();
    await row('while the books are closed').getByLabel('After').waitFor();
    expect(await stage.look('audit')).toEqual([]);

    const search = page.getByRole('search');
    await search.getByLabel('Action').fill('pause');
    await search.getByLabel('Target').fill('schedules/steered');
    await search.getByLabel('Who').fill('loc');
    await search.getByRole('button', { name: 'Search' }).click();
    await page.waitForURL(/who=loc/);
    await row('the shop is shut').waitFor();
    await row('was a trial').waitFor({ state: 'detached' });
    const address = '/audit?action=pause&target=schedules%2Fsteered&who=loc';
    await stage.go(address, 'Audit');
    await row('the shop is shut').getByRole('link', { name: 'schedules/steered' }).click();
    await stage.at('steered');
    await stage.go('/audit?who=nobody', 'Audit');
    await shows('There are none.');
    expect(await stage.look('audit narrowed')).toEqual([]);
  });

  it('shows changes that cannot be decrypted, and those that a process of an earlier release tells of', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const path = '/v1/schedules/early/pause';
    const early = { who: 'local', name: 'local', call: 'POST /v1/schedules/:id/pause', path };
    const nothing = { who: '', name: '', call: '', path: '', action: '', target: '' };
    const json = {
      items: [
        { id: '2', at, ...nothing, unreadable: 'is encrypted with another key' },
        { id: '1', at, ...early },
      ],
    };
    await page.route('**/v1/audit*', (route) => route.fulfill({ json }));
    await stage.go('/audit', 'Audit');
    await row('is encrypted with another key').waitFor();
    await row('local').getByText(`POST ${path}`).waitFor();
    expect(await stage.look('audit unreadable')).toEqual([]);
    await page.unroute('**/v1/audit*');
  });

  it('shows actions only to who may do them', async () => {
    const reason = 'seen by all';
    await api.request('POST', '/v1/schedules/shared/pause', { reason });
    const { body } = await api.request<{ key: string }>('POST', '/v1/api-keys', {
      name: 'viewer',
      role: 'viewer',
    });
    const viewer = await consoleOf(api, body.key);
    const asked: string[] = [];
    viewer.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (const [address, heading] of [
      ['/dead-letters?actor=signups', 'Dead letters'],
      ['/schedules/of/heartbeat.beat', 'heartbeat.beat'],
      ['/sync/signups', 'signups'],
      ['/routes?id=shared', 'Route shared'],
    ] as const) {
      await viewer.go(address, heading);
      await viewer.page.getByRole('link', { name: 'viewer' }).waitFor();
      await viewer.page.getByRole('table').first().waitFor();
      const main = viewer.page.getByRole('main');
      expect(await main.getByRole('button', { name: ACTIONS }).count()).toBe(0);
    }
    await viewer.go('/schedules/of/shared', 'shared');
    await viewer.page.getByText(reason).first().waitFor();
    await viewer.page.getByRole('table').first().waitFor();
    expect(asked).toContain('/v1/schedules/shared');
    await viewer.go('/audit', 'Audit');
    await viewer.page.getByText('it needs the permission audit:read').waitFor();
    expect(asked).not.toContain('/v1/audit');
    expect(viewer.troubles).toEqual([]);
  });

  it('has asked nothing elsewhere, and logged no error', () => {
    expect(stage.troubles).toEqual([]);
  });
});

const ACTIONS = /Redrive|Discard|Pause|Trigger|Backfill|Change|Delete|Run now|Reset/;
