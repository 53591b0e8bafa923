import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
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

  async function schedule(id: string, body: object): Promise<void> {
    const message = webhookTo(peer.url, 'order.paid');
    const answer = await api.request('POST', '/v1/schedules', { id, message, ...body });
    expect([answer.status, answer.body]).toMatchObject([201, { id }]);
  }

  describe('schedules', () => {
    it('are listed with what comes next and how the last runs ended', async () => {
      await schedule('monthly', { cron: '0 9 1 * *', tags: ['money'] });
      await stage.go('/schedules', 'Schedules');
      await stage
        .row('shows that schedules fire')
        .getByText('succeeded', { exact: true })
        .waitFor({ timeout: 30_000 });
      await page
        .getByRole('img', { name: /run.*succeeded; at most .* late/ })
        .first()
        .waitFor();
      expect(await stage.look('schedules')).toEqual([]);

      await page.getByLabel('Tag').fill('money');
      await stage.button('Search').click();
      await page.waitForURL(/tag=money/);
      await stage.row('shows that schedules fire').waitFor({ state: 'detached' });
      await stage.row('monthly').waitFor();
    });

    it('stand in a calendar', async () => {
      const soon = new Date(Date.now() + 86_400_000).toISOString();
      await schedule('once', { at: soon });
      await schedule('hourly', { cron: '30 * * * *' });
      await stage.go('/schedules?view=calendar&days=3', 'Schedules');
      await page.getByRole('listitem').filter({ hasText: 'once' }).waitFor();
      await page.getByRole('listitem').filter({ hasText: '24 times' }).first().waitFor();
      await stage.shows('More than 100 times within these days');
      expect(await stage.look('calendar')).toEqual([]);
      await page.getByRole('link', { name: 'Today' }).click();
      await page.waitForURL(/days=1/);
    });

    it('are made with a preview and its warnings, changed and deleted', async () => {
      await stage.go('/schedules/new', 'New schedule');
      await page.getByLabel('Id', { exact: true }).fill('no id');
      await page.getByRole('textbox', { name: 'Pattern' }).fill('30 2 * * *');
      await page.getByLabel('Time zone').fill('Europe/Madrid');
      await stage.shows('At 02:30 every day (Europe/Madrid).');
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
      await stage.button('Create').click();
      await page.getByRole('alert').filter({ hasText: 'message/data/url' }).waitFor();
      expect(await stage.besides(page.getByLabel('Data of the message'))).toMatch(/^url: /);
      const { data } = webhookTo(peer.url, 'report');
      await page.getByLabel('Data of the message').fill(JSON.stringify(data));
      await page.getByLabel('Tags').fill('money, daily');
      await stage.button('Create').click();
      await stage.at('report');
      await stage.shows('At 02:30 every day (Europe/Madrid).');

      await stage.button('Change').click();
      await page.getByRole('textbox', { name: 'Pattern' }).fill('not a pattern');
      await page.getByRole('alert').filter({ hasText: 'cron' }).waitFor();
      await page.getByRole('textbox', { name: 'Pattern' }).fill('45 3 * * *');
      expect(await stage.look('change schedule')).toEqual([]);
      await stage.button('Save').click();
      await stage.button('Change').waitFor();
      await stage.shows('At 03:45 every day (Europe/Madrid).');
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
      await stage.button('Save').click();
      await page.getByRole('alert').filter({ hasText: 'look at it, and decide' }).waitFor();
      expect(await cron()).toBe('0 10 * * *');

      // As it is now, it can be changed.
      await stage.go('/schedules/of/shared?edit=yes', 'Change shared');
      await page.getByRole('textbox', { name: 'Pattern' }).fill('0 11 * * *');
      await stage.button('Save').click();
      await stage.button('Change').waitFor();
      expect(await cron()).toBe('0 11 * * *');
    });

    it('are paused with a reason, resumed, triggered and backfilled after a count', async () => {
      peer.answer({ status: 204 });
      await schedule('steered', { cron: '0 9 * * *' });
      await stage.go('/schedules/of/steered', 'steered');
      await stage.button('Pause').click();
      await page.keyboard.type('the shop is shut');
      await stage.confirm('Pause');
      const pause = page.getByRole('definition').filter({ hasText: 'the shop is shut' });
      await pause.getByText('by local').waitFor();
      expect(await stage.look('paused schedule')).toEqual([]);
      await stage.button('Resume').click();
      await stage.button('Pause').waitFor();

      await stage.act('Trigger now');
      await stage.row('succeeded').filter({ hasText: 'manual' }).waitFor({ timeout: 20_000 });

      await stage.button('Backfill').click();
      await stage.dialog().getByLabel('After', { exact: true }).fill('');
      await stage.dialog().getByText('Something is not filled in.').waitFor();
      await stage.dialog().getByLabel('After', { exact: true }).fill('2026-01-01T00:00');
      await stage.dialog().getByLabel('Up to').fill('2026-01-04T00:00');
      await stage.dialog().getByText('3 occurrences were due in that time').waitFor();
      expect(await stage.look('backfill')).toEqual([]);
      await stage.dialog().getByRole('button', { name: 'Start 3 runs' }).click();
      await stage.dialog().getByText('3 runs are under way').waitFor();
      await stage.dialog().getByRole('button', { name: 'Close' }).click();
      await expect
        .poll(() => stage.row('backfill').filter({ hasText: 'succeeded' }).count(), {
          timeout: 20_000,
        })
        .toBe(3);
      expect(await stage.look('schedule')).toEqual([]);
    });

    it('that fail lead to the stack trace and the retry in at most four clicks', async () => {
      peer.answer({ status: 410, body: CLOSED });
      await schedule('failing', { cron: '0 9 * * *' });
      expect((await api.request('POST', '/v1/schedules/failing/trigger')).status).toBe(202);
      await stage.go('/schedules', 'Schedules');
      await stage.row('failing').getByText('failed', { exact: true }).waitFor({ timeout: 45_000 });

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
      await stage.button('Redrive').click();
      await stage.shows('Redriven: it waits again');
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
      await stage.row('the-last').waitFor();
      expect(await stage.row('other-').count()).toBe(0);
      for (const id of [...others, 'the-last']) await api.request('DELETE', `/v1/schedules/${id}`);
    });

    it('that code declares are triggered and paused, not changed', async () => {
      const { items } = await api.schedules();
      const id = items.find(({ owner }) => owner === 'heartbeat')?.id ?? '';
      await stage.go(`/schedules/of/${encodeURIComponent(id)}`, id);
      await stage.button('Trigger now').waitFor();
      await stage.shows('heartbeat, in its code: it is changed and removed there');
      expect(await stage.button('Change').count()).toBe(0);
      await page.getByRole('img', { name: /^Drift: / }).waitFor();
      expect(await stage.look('declared schedule')).toEqual([]);
    });
  });

  describe('pipelines', () => {
    it('are listed, and their bad rows lead to their dead letters', async () => {
      await stage.go('/sync', 'Sync');
      await stage
        .row('signups')
        .getByRole('link', { name: '1', exact: true })
        .waitFor({ timeout: 45_000 });
      expect(await stage.look('sync')).toEqual([]);
      await stage.row('signups').getByRole('link', { name: '1', exact: true }).click();
      await page.waitForURL(/\/dead-letters\?actor=signups/);
      await stage.row('signups.row').first().waitFor();
    });

    it('are paused with a reason, resumed, run, backfilled and reset with a reason', async () => {
      await stage.go('/sync/signups', 'signups');
      await stage.row('done').first().waitFor();
      await stage.act('Pause', 'the file is being mended');
      const pause = page.getByRole('definition').filter({ hasText: 'the file is being mended' });
      await pause.getByText('by local').waitFor();
      expect(await stage.look('pipeline')).toEqual([]);
      await stage.button('Resume').click();
      await stage.button('Run now').waitFor();
      await stage.row('resumed').waitFor();
      await stage.button('Run now').click();
      await stage.row('manual').waitFor({ timeout: 20_000 });

      await stage.button('Backfill').click();
      await stage.dialog().getByLabel('From, a cursor').fill('{"offset": 0');
      await stage
        .dialog()
        .getByText(/no JSON/)
        .waitFor();
      await stage.dialog().getByLabel('From, a cursor').fill('');
      await stage.confirm('Backfill');
      await stage.row('backfill').filter({ hasText: 'done' }).waitFor({ timeout: 20_000 });

      await stage.button('Reset').click();
      expect(await stage.look('reset')).toEqual([]);
      await stage.confirm('Reset', 'read it all again');
      await stage.row('reset').waitFor();
    });
  });

  describe('routes', () => {
    const rule = { order: 10, match: { topic: 'order.*' }, to: ['account'] };

    it('are made from JSON that the API checks, tried, changed and deleted', async () => {
      await stage.go('/routes', 'Routes');
      await stage.shows('No route is stored');
      await page.getByRole('link', { name: 'New route' }).click();
      await page.getByLabel('Id', { exact: true }).fill('to-account');
      await page
        .getByLabel('Rule')
        .fill(JSON.stringify({ ...rule, match: { when: 'data.total >' } }));
      await stage.button('Create').click();
      await page.getByRole('alert').filter({ hasText: 'match/when' }).waitFor();
      await page.getByLabel('Rule').fill(JSON.stringify(rule));
      await page.getByLabel('Type').fill('webhook.deliver');
      await page.getByLabel('Topic').fill('order.paid');
      await page
        .getByLabel('Data', { exact: true })
        .fill(JSON.stringify(webhookTo(peer.url, 'paid').data));
      await stage.button('Test with this route').click();
      await stage.row('route:to-account').waitFor();
      expect(await stage.look('new route')).toEqual([]);
      await stage.button('Create').click();
      await stage.at('Route to-account');
      await stage.row('created').waitFor();

      await stage.button('Change').click();
      await page.getByLabel('Rule').fill(JSON.stringify({ ...rule, order: 20, disabled: true }));
      await page.getByLabel('Reason').fill('while the books are closed');
      await stage.button('Save').click();
      await stage.row('while the books are closed').waitFor();
      expect(await stage.look('route')).toEqual([]);
      await stage.go('/routes', 'Routes');
      await stage.row('disabled').waitFor();
      expect(await stage.look('routes')).toEqual([]);

      await page.getByRole('link', { name: 'to-account' }).click();
      await stage.act('Delete', 'was a trial');
      await stage.shows('No route is stored');
      const { status } = await api.request('GET', '/v1/routes/to-account');
      expect(status).toBe(404);
    });

    it('do not overwrite what somebody else has changed meanwhile', async () => {
      await api.request('PUT', '/v1/routes/shared', rule);
      await stage.go('/routes?id=shared&edit=yes', 'Change route shared');
      await api.request('PUT', '/v1/routes/shared', { ...rule, order: 11 });
      await page.getByLabel('Rule').fill(JSON.stringify({ ...rule, order: 12 }));
      await stage.button('Save').click();
      await page.getByRole('alert').waitFor();
      const { body } = await api.request<{ order: number }>('GET', '/v1/routes/shared');
      expect(body.order).toBe(11);
    });
  });

  it('shows who changed what and why, page by page', async () => {
    await stage.go('/audit', 'Audit');
    await stage.row('was a trial').getByText('DELETE /v1/').waitFor();
    await stage.row('create').getByRole('link', { name: 'routes/shared' }).first().waitFor();
    await stage
      .row('while the books are closed')
      .getByText(/^order, /)
      .click();
    await stage.row('while the books are closed').getByLabel('After').waitFor();
    expect(await stage.look('audit')).toEqual([]);

    const search = page.getByRole('search');
    await search.getByLabel('Action').fill('pause');
    await search.getByLabel('Target').fill('schedules/steered');
    await search.getByLabel('Who').fill('loc');
    await search.getByRole('button', { name: 'Search' }).click();
    await page.waitForURL(/who=loc/);
    await stage.row('the shop is shut').waitFor();
    await stage.row('was a trial').waitFor({ state: 'detached' });
    const address = '/audit?action=pause&target=schedules%2Fsteered&who=loc';
    await stage.go(address, 'Audit');
    await stage.row('the shop is shut').getByRole('link', { name: 'schedules/steered' }).click();
    await stage.at('steered');
    await stage.go('/audit?who=nobody', 'Audit');
    await stage.shows('There are none.');
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
    await stage.row('is encrypted with another key').waitFor();
    await stage.row('local').getByText(`POST ${path}`).waitFor();
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
