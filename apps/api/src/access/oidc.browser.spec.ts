import { expect, it, onTestFinished } from 'vitest';
import { serverSuite } from '../../../../test/support/available.js';
import { openBrowser } from '../../../../test/support/browser.js';
import { startOpenIdProvider } from '../../../../test/support/openid.provider.js';
import { freePort } from '../../../../test/support/ports.js';
import { openStage } from '../../test/stage.js';
import { CALLBACK } from './oidc.login.js';

const [clientId, clientSecret] = ['callsheet', 's'.repeat(32)];

serverSuite('chromium', 'in a browser, with an OpenID provider of another site', () => {
  it('somebody logs in, is where he wanted to be, and logs out', async () => {
    const port = await freePort();
    const publicUrl = `http://localhost:${port}`;
    const redirectUri = publicUrl + CALLBACK;
    const claims = { name: 'Ada', roles: ['viewer', 'operator'] };
    const { issuer } = await startOpenIdProvider({ clientId, clientSecret, redirectUri, claims });
    const provider = { issuer, audience: 'api', roleClaim: 'roles' };
    const login = { provider, clientId, clientSecret, scope: 'openid profile email', publicUrl };
    const app = await openStage({ apiKey: 'k'.repeat(32), tokens: provider, login, publicUrl });
    onTestFinished(() => app.close());
    await app.listen(port, '127.0.0.1');
    const browser = await openBrowser();
    const page = await browser.newPage();

    await page.goto(`${publicUrl}/board/queue/greeter?status=failed`);
    await page.getByRole('link', { name: `Log in with ${new URL(issuer).host}` }).click();
    await page.getByPlaceholder('Enter any login').fill('ada');
    await page.getByPlaceholder('and password').fill('x');
    await page.getByRole('button').click();
    await page.getByRole('button', { name: 'Continue' }).click();

    // It is the session that lets him in there.
    await page.waitForURL(`${publicUrl}/board/queue/greeter?status=failed`);
    expect((await page.goto(`${publicUrl}/v1/me`))?.status()).toBe(200);
    expect(JSON.parse(await page.innerText('body'))).toMatchObject({
      ...{ id: 'token:ada', name: 'Ada', role: 'operator' },
    });
    await page.goto(`${publicUrl}/login`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(`${publicUrl}/login`);
    expect((await page.goto(`${publicUrl}/v1/me`))?.status()).toBe(401);
  }, 60_000);
});
