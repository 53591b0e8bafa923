import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
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

  it.each(['index.html', 'package.json', '..%2fpackage.json', 'constructor'])(
    'has no %s',
    async (file) => {
      const app = await stageForTest();
      const response = await app.inject({ url: `/docs/${file}` });
      expect(response.json()).toMatchObject({ status: 404, code: 'not_found' });
    },
  );

  it('costs little memory for clients that do not read what they asked for', async () => {
    const app = await stageForTest();
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const url = '/docs/swagger-ui-bundle.js';
    const { length } = (await app.inject({ url })).rawPayload;
    let asked = 0;
    app.getHttpServer().on('request', () => asked++);
    const before = process.memoryUsage().arrayBuffers;
    for (let client = 0; client < 30; client++) {
      const socket = connect(port, '127.0.0.1').pause();
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      // Node answers the first, and the others when that is sent.
      socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(8));
    }
    await eventually(() => asked >= 30 * 4);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30 * length);
  });

  it('asks for credentials as everything else does', async () => {
    const app = await stageForTest({ apiKey: 'k'.repeat(32) });
    for (const url of ['/docs', '/docs/start.js']) {
      expect((await app.inject({ url })).json()).toMatchObject({ code: 'unauthorized' });
    }
  });
});
