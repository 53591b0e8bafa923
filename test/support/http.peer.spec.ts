import { describe, expect, it } from 'vitest';
import { startHttpPeer } from './http.peer.js';

const post = (url: string, body = '') =>
  fetch(url, { method: 'POST', body, headers: { 'x-test': 'yes' } });

describe('startHttpPeer', () => {
  it('collects requests as they came', async () => {
    const peer = await startHttpPeer();
    expect((await post(`${peer.url}/hook?a=1`, 'träger')).status).toBe(204);
    expect(peer.requests).toMatchObject([
      {
        method: 'POST',
        url: '/hook?a=1',
        headers: { 'x-test': 'yes' },
        body: Buffer.from('träger'),
      },
    ]);
  });

  it('answers as told: the next ones first, then the usual answer', async () => {
    const peer = await startHttpPeer();
    peer.answer(({ url }) => ({ status: 200, body: url }));
    peer.answerNext({ status: 503, headers: { 'retry-after': '1' } }, 'reset');
    const first = await post(peer.url);
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    await expect(post(peer.url)).rejects.toThrow('fetch failed');
    expect(await (await post(`${peer.url}/usual`)).text()).toBe('/usual');
    expect(peer.requests).toHaveLength(3);
  });

  it('keeps silent until the client gives up', async () => {
    const peer = await startHttpPeer();
    peer.answerNext('silence');
    await expect(fetch(peer.url, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  });

  it('goes away, and comes back on the same port', async () => {
    const peer = await startHttpPeer();
    await post(peer.url);
    await peer.stop();
    await expect(post(peer.url)).rejects.toThrow('fetch failed');
    await peer.start();
    expect((await post(peer.url)).status).toBe(204);
    expect(peer.requests).toHaveLength(2);
  });
});
