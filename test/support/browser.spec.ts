import { expect, it } from 'vitest';
import { serverSuite } from './available.js';
import { openBrowser } from './browser.js';
import { startHttpPeer } from './http.peer.js';

serverSuite('chromium', 'openBrowser', () => {
  it('opens a page', async () => {
    const peer = await startHttpPeer();
    peer.answer({ status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>hello</h1>' });
    const browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(peer.url);
    expect(await page.textContent('h1')).toBe('hello');
    await browser.close();
  }, 30_000);
});
