import { describe, expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';

describe('/docs', () => {
  it('is a page that may load nothing from elsewhere, and all that it names is there', async () => {
    const app = await stageForTest();
    const page = await app.inject({ url: '/docs' });
    expect([page.statusCode, page.headers['content-type']]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self';/);
    expect(page.headers['content-security-policy']).not.toMatch(/https?:|script-src|\*/);
    const named = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = '']) => name);
    expect(named).toHaveLength(5);
    for (const name of named) {
      const found = await app.inject({ url: new URL(name, 'http://localhost/docs').pathname });
      expect([name, found.statusCode]).toEqual([name, 200]);
      expect(found.rawPayload.length).toBeGreaterThan(100);
    }
  });

  it.each(['index.html', 'package.json', '..%2fpackage.json', 'constructor', '%2e%2e'])(
    'has no %s',
    async (file) => {
      const app = await stageForTest();
      const response = await app.inject({ url: `/docs/${file}` });
      expect(response.json()).toMatchObject({ status: 404, code: 'not_found' });
    },
  );

  it('asks for credentials as everything else does', async () => {
    const app = await stageForTest({ apiKey: 'k'.repeat(32) });
    for (const url of ['/docs', '/docs/start.js']) {
      expect((await app.inject({ url })).json()).toMatchObject({ code: 'unauthorized' });
    }
  });
});
