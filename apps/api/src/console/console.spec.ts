import { describe, expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';

const KEY = 'k'.repeat(32);
const BROWSER = { accept: 'text/html', host: 'jobs.example.org' };

describe('the console', () => {
  it('leads who is not known to the log-in, and from there back', async () => {
    const app = await stageForTest({ apiKey: KEY });
    for (const url of ['/', '/actors', '/messages/a%2Fb?state=dead']) {
      const { statusCode, headers } = await app.inject({ url, headers: BROWSER });
      expect([statusCode, headers.location]).toEqual([
        303,
        `/login?next=${encodeURIComponent(url)}`,
      ]);
    }
  });

  it('has no other addresses', async () => {
    const app = await stageForTest();
    for (const url of ['/elsewhere', '/actorsx', '/assets/none.js', '/assets/..%2findex.html']) {
      const response = await app.inject({ url });
      expect([url, response.statusCode, response.json<{ code: string }>().code]).toEqual([
        url,
        404,
        'not_found',
      ]);
    }
    const response = await app.inject({ method: 'POST', url: '/actors' });
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});
