import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectExit, startApp } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.server.js';
import { tempDir } from '../support/temp.js';

serverSuite('redis-server', 'rediss://', () => {
  it('talks TLS to a server whose certificate is trusted, and to no other', async () => {
    const { certificate, key } = selfSigned();
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

function selfSigned(): { certificate: string; key: string } {
  const dir = tempDir('callsheet-tls-');
  const [certificate, key] = [join(dir, 'certificate.pem'), join(dir, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const output = ['-keyout', key, '-out', certificate];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    ...subject,
    ...output,
  ];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { certificate, key };
}
