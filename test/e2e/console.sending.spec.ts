import { Actor, CallsheetModule, Handle, Message } from '@callsheet/messaging';
import type { Page, Request } from 'playwright-core';
import { beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ApiModule, createHttpApp } from '../../apps/api/src/index.js';
import type { MessageView } from '../../apps/api/src/messages/message.view.js';
import { ApiClient } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { atEnd } from '../support/cleanup.js';
import { consoleOf, type ConsoleStage } from '../support/console.stage.js';
import { eventually } from '../support/eventually.js';

// A browser, an app and its store share the machine with other files.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const parcel = z.object({
  street: z.string().min(1).max(100).describe('where it goes'),
  weight: z.number().max(30, 'is too heavy for one'),
  fragile: z.boolean(),
  service: z.enum(['ground', 'air']).optional(),
  note: z.string().optional(),
  tags: z.array(z.string()).optional(),
});
class Ship extends Message('parcel.ship', parcel, { key: 'street' }) {}
class Weigh extends Message('parcel.weigh', z.object({ grams: z.int() })) {}
class Ring extends Message('bell.ring', z.object({ times: z.int().default(1) })) {}

@Actor()
class ParcelActor {
  static shipped: unknown[] = [];

  @Handle(Ship)
  ship({ street, weight, fragile, service, note, tags }: Ship): void {
    ParcelActor.shipped.push({ street, weight, fragile, service, note, tags });
  }

  @Handle(Weigh)
  weigh(): void {}
}

@Actor({ retry: { delay: '5m', jitter: 0 } })
class BellActor {
  @Handle(Ring)
  ring({ times }: Ring): void {
    if (times > 9) throw new Error('the rope is torn');
  }
}

serverSuite('chromium', 'the form of the console that sends a message', () => {
  const KEY = 'k'.repeat(32);
  let stage: ConsoleStage;
  let page: Page;
  let url: string;
  const sends: Request[] = [];

  beforeAll(async () => {
    class ParcelModule {}
    const messages = [Ship, Weigh, Ring];
    const app = await createHttpApp(
      {
        module: ParcelModule,
        imports: [CallsheetModule.forRoot({ url: 'memory:', messages }), ApiModule],
        providers: [ParcelActor, BellActor],
      },
      { apiKey: KEY },
    );
    app.useLogger(false);
    atEnd(() => app.close());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    stage = await consoleOf(new ApiClient(url), KEY);
    ({ page } = stage);
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/v1/messages')) {
        sends.push(request);
      }
    });
  });

  const field = (label: string) => page.getByLabel(label, { exact: true });
  const params = () => Object.fromEntries(new URL(page.url()).searchParams);

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(response.ok, `${method} ${path} answered ${response.status}`).toBe(true);
    return (await response.json()) as T;
  }

  /** The key of somebody who may do no more. */
  async function keyOf(permissions: object): Promise<string> {
    const made = { name: 'somebody', ...permissions };
    return (await call<{ key: string }>('POST', '/v1/api-keys', made)).key;
  }

  it('is reached from the messages, and keeps what is chosen in the address', async () => {
    await stage.go('/messages', 'Messages');
    await page.getByRole('link', { name: 'Send a message' }).click();
    await stage.at('Send a message');
    const types = await field('Type').getByRole('option').allTextContents();
    expect(types).toEqual(['choose one', 'bell.ring', 'parcel.ship', 'parcel.weigh']);
    await field('Type').selectOption('bell.ring');
    await field('times (optional)').waitFor();
    await field('Priority').selectOption('high');
    await field('Delay (optional)').fill('10m');
    await field('times (optional)').focus();
    const chosen = { new: 'yes', type: 'bell.ring', priority: 'high', delay: '10m' };
    await expect.poll(params).toEqual(chosen);
    await page.reload();
    await field('times (optional)').waitFor();
    expect(await field('Priority').inputValue()).toBe('high');
    expect(await field('Delay (optional)').inputValue()).toBe('10m');
    await page.goBack();
    await stage.at('Messages');
  });

  it('has a field for each value of the type, and what the API refuses stands beside its field', async () => {
    await stage.go('/actors/parcel', 'parcel');
    await page.getByRole('link', { name: 'Send a message' }).click();
    await stage.at('Send a message');
    expect(await field('Type').inputValue()).toBe('parcel.ship');
    expect(await field('Type').getByRole('option').count()).toBe(3);
    await page.getByText('where it goes; the key: messages of one key').waitFor();
    await field('street').fill('Calle Mayor 1');
    await field('weight').fill('31');
    await field('fragile').selectOption('true');
    await field('tags (optional)').fill('["a"]');
    await field('Delay (optional)').fill('soon');
    await stage.button('Send').click();
    await page.getByRole('alert').getByText('is too heavy for one').waitFor();
    const weight = field('weight').locator('xpath=following-sibling::small');
    expect(await weight.textContent()).toBe('is too heavy for one');
    expect(await field('weight').getAttribute('aria-invalid')).toBe('true');
    expect(await field('street').getAttribute('aria-invalid')).toBe('false');
    expect(await stage.look('send message')).toEqual([]);

    await field('weight').fill('2.5');
    await stage.button('Send').click();
    const delay = field('Delay (optional)').locator('xpath=following-sibling::small');
    await expect.poll(() => delay.textContent()).toMatch(/^must be/);
    await field('Delay (optional)').fill('');
    await stage.button('Send').click();
    await page.getByRole('status').getByText('waits for its turn').waitFor();
    expect(await stage.look('sent message')).toEqual([]);
    await page.getByRole('main').getByRole('status').getByRole('link').click();
    await stage.at('parcel.ship');
    await page.getByText('done', { exact: true }).waitFor();
    expect(ParcelActor.shipped).toEqual([
      { street: 'Calle Mayor 1', weight: 2.5, fragile: true, tags: ['a'] },
    ]);
  });

  it('takes JSON as well, and loses nothing on the way there and back', async () => {
    await stage.go('/messages?new=yes&type=parcel.ship', 'Send a message');
    await field('street').fill('Plaza 2');
    await field('weight').fill('1');
    await stage.button('Write data as JSON').click();
    const shown = JSON.parse(await field('Data').inputValue()) as object;
    expect(shown).toEqual({ street: 'Plaza 2', weight: 1, fragile: false });
    expect(params()).toMatchObject({ as: 'json' });
    expect(await stage.look('send json')).toEqual([]);
    await field('Data').fill('[1]');
    await stage.button('Write data in fields').click();
    await page.getByRole('alert').getByText('must be an object').waitFor();
    expect(params()).toMatchObject({ as: 'json' });
    await field('Data').fill('{"street": 7, "weight": 1, "unheard": [1]}');
    expect(await page.getByRole('alert').count()).toBe(0);
    await stage.button('Write data in fields').click();
    expect(await field('street').inputValue()).toBe('7');
    expect(await field('unheard (optional)').inputValue()).toBe('[\n  1\n]');
    await stage.button('Write data as JSON').click();
    const again = JSON.parse(await field('Data').inputValue()) as object;
    expect(again).toEqual({ street: 7, weight: 1, fragile: false, unheard: [1] });
    await stage.button('Send').click();
    const hint = field('Data').locator('xpath=following-sibling::small');
    await expect.poll(() => hint.textContent()).toMatch(/^street: /);
  });

  it('sends once when its button is pressed twice, and a call without an answer is the same call', async () => {
    await stage.go('/messages?new=yes&type=parcel.weigh&delay=1h', 'Send a message');
    sends.length = 0;
    await field('grams').fill('100');
    await stage.button('Send').dblclick();
    await page.getByRole('status').getByText('waits until it is due').waitFor();
    expect(sends).toHaveLength(1);

    await stage.button('Send another').click();
    await field('grams').fill('200');
    let isLost = true;
    await page.route('**/v1/messages', async (route) => {
      if (!isLost) return route.continue();
      isLost = false;
      await route.fetch();
      await route.abort();
    });
    await stage.button('Send').click();
    await page.getByRole('alert').getByText('the API does not answer').waitFor();
    await stage.button('Send').click();
    await page.getByRole('status').getByText('waits until it is due').waitFor();
    await page.unroute('**/v1/messages');
    const keys = sends.slice(1).map((request) => request.headers()['idempotency-key']);
    expect(keys).toEqual([keys[0], keys[0]]);
    await page.getByRole('main').getByRole('status').getByRole('link').click();
    await stage.at('parcel.weigh');
    expect(page.url()).toBe(`${url}/messages/${keys[0]}`);
    await stage.go('/messages?actor=parcel&state=delayed', 'Messages');
    const rows = page.getByRole('table', { name: 'Messages' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(3);
  });

  it('makes another call when it is begun anew, even with the same in it', async () => {
    await stage.go('/messages?new=yes&type=parcel.weigh&delay=1h', 'Send a message');
    sends.length = 0;
    await field('grams').fill('300');
    await page.route('**/v1/messages', (route) => route.abort());
    await stage.button('Send').click();
    await page.getByRole('alert').getByText('the API does not answer').waitFor();
    await page.unroute('**/v1/messages');
    await page.getByRole('link', { name: 'Messages', exact: true }).first().click();
    await stage.at('Messages');
    await page.goBack();
    await field('grams').fill('300');
    await stage.button('Send').click();
    await page.getByRole('status').getByText('waits until it is due').waitFor();
    const [lost, anew, ...more] = sends.map((request) => request.headers()['idempotency-key']);
    expect([anew, more]).toEqual([expect.not.stringMatching(`^${lost}$`), []]);
  });

  it('leads to a message that tells when it is tried again, and how often at most', async () => {
    const torn = { type: 'bell.ring', data: { times: 10 } };
    const { id } = await call<{ id: string }>('POST', '/v1/messages', torn);
    const { attempts, nextAttemptAt, attemptsLeft } = await eventually(async () => {
      const message = await call<MessageView>('GET', `/v1/messages/${id}`);
      expect(message.state).toBe('delayed');
      return message;
    });
    expect(attemptsLeft).toBe(4);
    expect(Date.parse(nextAttemptAt!) - Date.parse(attempts[0]!.finishedAt)).toBe(300_000);
    await stage.go(`/messages/${id}`, 'bell.ring');
    const next = page.getByRole('listitem').filter({ hasText: 'Next attempt' });
    await next.getByText('4 left').waitFor();
    expect(await next.getByRole('time').getAttribute('datetime')).toBe(nextAttemptAt);
    expect(await stage.look('message retried')).toEqual([]);
    await stage.go('/messages?actor=bell&state=delayed&type=bell.ring', 'Messages');
    const row = page.getByRole('row').filter({ hasText: id });
    await row.waitFor();
    expect(await row.getByRole('time').last().getAttribute('datetime')).toBe(nextAttemptAt);
    expect(await stage.look('messages retried')).toEqual([]);
  });

  it('is for those who may send, also those who may not see actors', async () => {
    const viewer = await consoleOf(new ApiClient(url), await keyOf({ role: 'viewer' }));
    await viewer.go('/messages', 'Messages');
    await viewer.page.getByText('Choose an actor').waitFor();
    expect(await viewer.page.getByRole('link', { name: 'Send a message' }).count()).toBe(0);
    await viewer.go('/messages?new=yes', 'Send a message');
    await viewer.page.getByText('it needs the permission messages:send').waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Send' }).count()).toBe(0);
    expect(viewer.troubles).toEqual([]);

    const tenant = await consoleOf(
      new ApiClient(url),
      await keyOf({ role: 'operator', tenant: 'acme' }),
    );
    await tenant.go('/messages', 'Messages');
    await tenant.page.getByRole('link', { name: 'Send a message' }).click();
    await tenant.page.getByLabel('Type', { exact: true }).fill('bell.ring');
    await tenant.page.getByLabel('Data', { exact: true }).fill('{"times": 2}');
    await tenant.page.getByRole('button', { name: 'Send', exact: true }).click();
    await tenant.page.getByRole('status').getByText('waits for its turn').waitFor();
    await tenant.page.getByRole('main').getByRole('status').getByRole('link').click();
    await tenant.page.getByText('acme').waitFor();
    expect(tenant.troubles).toEqual([]);
  });

  it('has done nothing that it must not', () => {
    expect(stage.troubles).toEqual([]);
  });
});
