import { OptionError } from '@callsheet/messaging';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { apiKeyOf, bindAddress, requestRateOf, requireFree } from './bind.js';

const KEY = 'k'.repeat(32);

/** What is thrown, or undefined. */
function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
}

describe('the address', () => {
  it.each([
    [{}, { host: '127.0.0.1', port: 3_000 }],
    [
      { HOST: '', PORT: '' },
      { host: '127.0.0.1', port: 3_000 },
    ],
    [{ PORT: '0' }, { host: '127.0.0.1', port: 0 }],
    [{ PORT: '65535' }, { host: '127.0.0.1', port: 65_535 }],
    [{ HOST: '127.1.2.3' }, { host: '127.1.2.3', port: 3_000 }],
    [{ HOST: '::1' }, { host: '::1', port: 3_000 }],
    [{ HOST: 'localhost' }, { host: 'localhost', port: 3_000 }],
    [
      { HOST: '0.0.0.0', CALLSHEET_API_KEY: KEY },
      { host: '0.0.0.0', port: 3_000 },
    ],
  ])('of %o', (env, address) => {
    expect(bindAddress(env)).toEqual(address);
  });

  it.each([
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '-1' }],
    ['PORT', { PORT: '80.5' }],
    ['PORT', { PORT: '0x50' }],
    ['PORT', { PORT: 'http' }],
    ['PORT', { PORT: ' 80' }],
    ['HOST', { HOST: '0.0.0.0' }],
    ['HOST', { HOST: '::' }],
    ['HOST', { HOST: '192.168.0.7' }],
    ['HOST', { HOST: '127.0.0.1.evil.example' }],
    ['HOST', { HOST: '0.0.0.0', CALLSHEET_API_KEY: '' }],
    ['CALLSHEET_API_KEY', { CALLSHEET_API_KEY: 'k'.repeat(31) }],
    ['CALLSHEET_API_KEY', { CALLSHEET_API_KEY: `${KEY} ` }],
    ['CALLSHEET_API_KEY', { CALLSHEET_API_KEY: 'ü'.repeat(32) }],
  ])('names %s for %o', (path, env) => {
    const error = thrown(() => bindAddress(env));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ path });
  });

  it('comes with a rate, if there is one', () => {
    expect([requestRateOf({}), requestRateOf({ HTTP_RATE: '50' })]).toEqual([undefined, 50]);
    for (const HTTP_RATE of ['0', '-1', '1.5', '50/s', '1000000']) {
      expect(thrown(() => requestRateOf({ HTTP_RATE }))).toMatchObject({ path: 'HTTP_RATE' });
    }
  });

  it('says what to do instead of listening without credentials', () => {
    expect(() => bindAddress({ HOST: '0.0.0.0' })).toThrow(
      "HOST is '0.0.0.0', which others can reach, and there are no credentials: set CALLSHEET_API_KEY or OIDC_ISSUER, or leave HOST out and use an SSH tunnel",
    );
  });

  it('never shows a bad key', () => {
    const error = thrown(() => apiKeyOf({ CALLSHEET_API_KEY: 'sesame' }));
    expect(String(error)).not.toContain('sesame');
  });
});

describe('a free address', () => {
  it('is one where nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    onTestFinished(() => void server.close());
    await expect(requireFree({ host: '127.0.0.1', port })).rejects.toThrow(
      `PORT ${port} is in use on 127.0.0.1: stop what listens there, or set another PORT`,
    );
    server.close();
    await once(server, 'close');
    await requireFree({ host: '127.0.0.1', port });
  });

  it('is of this machine', async () => {
    await expect(requireFree({ host: '203.0.113.7', port: 0 })).rejects.toMatchObject({
      path: 'HOST',
    });
  });
});
