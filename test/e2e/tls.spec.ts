import { expect, it } from 'vitest';
import { expectExit, startApp } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { selfSigned } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.server.js';

serverSuite('redis-server', 'rediss://', () => {
  it('talks TLS to a server whose certificate is trusted, and to no other', async () => {
    const { certificate, key } = selfSigned('DNS:localhost');
    const port = await freePort();
    const redis = await startRedis({
      args: [
        ...['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key],
        ...['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'],
      ],
    });
    try {
      const env = { CALLSHEET_URL: `rediss://localhost:${port}`, PORT: '0' };
      const distrusting = await expectExit('standalone', env);
      expect(distrusting.code).toBe(1);
      expect(distrusting.stderr).toMatch(/^callsheet: cannot use Redis at rediss:.*self.signed/m);

      const app = await startApp('standalone', { ...env, NODE_EXTRA_CA_CERTS: certificate });
      const [, url = ''] = await app.line(/(http:\S+)\/v1\/messages/);
      const data = { to: 'ada@example.org', subject: 'TLS', text: 'over TLS' };
      const sent = await fetch(`${url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'email.send', data }),
      });
      expect(sent.status).toBe(202);
      const { id } = (await sent.json()) as { id: string };
      await eventually(async () => {
        const message = (await (await fetch(`${url}/v1/messages/${id}`)).json()) as {
          state: string;
        };
        expect(message.state).toBe('done');
      });
      await app.stop();
    } finally {
      await redis.stop();
    }
  });
});
