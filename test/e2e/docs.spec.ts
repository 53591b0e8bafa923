import { beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { serverSuite } from '../support/available.js';
import { openBrowser } from '../support/browser.js';
import { startStandalone } from '../support/deployment.js';

serverSuite('chromium', 'the description of the API in a browser', () => {
  let url: string;
  let page: Page;
  const elsewhere: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    const [{ api }, browser] = await Promise.all([startStandalone(), openBrowser()]);
    url = api.url;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.route(
      ({ origin, protocol }) => origin !== url && protocol !== 'data:',
      (route) => {
        elsewhere.push(route.request().url());
        return route.abort();
      },
    );
    // What the policy forbids is told here.
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${url}/docs`);
  });

  it('shows every call, loads nothing from elsewhere, and breaks no policy', async () => {
    await page.locator('#operations-messages-askMessage').waitFor();
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const calls = Object.values(document.paths).flatMap((path) => Object.keys(path));
    const shown = page.locator('.opblock');
    await expect.poll(() => shown.count(), { timeout: 10_000 }).toBe(calls.length);
    expect({ elsewhere, errors }).toEqual({ elsewhere: [], errors: [] });
  });

  it('tries a call', async () => {
    await page.locator('#operations-actors-getActor .opblock-summary-control').click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.locator('#operations-actors-getActor input').fill('email');
    await page.getByRole('button', { name: 'Execute' }).click();
    const answer = page.locator('.live-responses-table tbody .response-col_status').first();
    await answer.waitFor();
    await expect.poll(() => answer.innerText(), { timeout: 10_000 }).toContain('200');
    expect({ elsewhere, errors }).toEqual({ elsewhere: [], errors: [] });
  });
});
