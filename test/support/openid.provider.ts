import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';

/** Who may have people logged in at the provider, and what that is told of them. */
export interface OpenIdClient {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  /** Of everybody, in ID tokens. */
  claims: Record<string, unknown>;
}

/** A real OpenID provider on a free loopback port, which takes any name and password; closed at the latest with the test file. */
export async function startOpenIdProvider(client: OpenIdClient): Promise<{ issuer: string }> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [client.redirectUri],
      },
    ],
    // Each that is not set it talks about.
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    // Else it tells them only to who asks its own endpoint.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: Object.keys(client.claims), email: [] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ ...client.claims, sub }) }),
  });
  const server = createServer(provider.callback());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { issuer };
}
