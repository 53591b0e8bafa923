import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RejectError } from '@callsheet/messaging';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { AllowedAddresses } from './allowed.addresses.js';
import { AddressRefusedError, GuardedFetch, type Resolve } from './guarded.fetch.js';

/** Listens on every address of this machine, IPv4 and IPv6, and counts connections. */
const server = createServer((_, response) => response.end('the secret'));
let port: number;
let hasIPv6: boolean;
let connections = 0;

beforeAll(async () => {
  server.on('connection', () => connections++);
  await once(server.listen(0), 'listening');
  const address = server.address() as AddressInfo;
  port = address.port;
  hasIPv6 = address.family === 'IPv6';
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A name server of the test's own. */
const NAMES: Record<string, string[]> = {
  'inside.test': ['127.0.0.1'],
  'inside6.test': ['::1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'private.test': ['10.0.0.1', '192.168.1.1', 'fd00::1'],
  'mixed.test': ['10.0.0.1', '127.0.0.1'],
  localhost: ['127.0.0.1'],
};
const resolve: Resolve = (name, _options, callback) => {
  const found = NAMES[name.replace(/\.$/, '').toLowerCase()];
  if (!found) return callback(Object.assign(new Error(`ENOTFOUND ${name}`)), []);
  const addresses = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  setImmediate(() => callback(null, addresses));
};

function guarded(allow = '', names: Resolve = resolve): GuardedFetch {
  const made = new GuardedFetch(new AllowedAddresses(allow), names);
  onTestFinished(() => made.onApplicationShutdown());
  return made;
}

const failure = (fetching: Promise<unknown>): Promise<unknown> =>
  fetching.then(
    () => 'it was fetched',
    (error: unknown) => error,
  );

/** Ways to write an address of this machine. */
const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '127.0.0.1.',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '127。0。0。1',
  '0.0.0.0',
  '0',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  'localhost',
  'LOCALHOST.',
  'inside.test',
  'inside6.test',
  'mapped.test',
  'mixed.test',
];

describe('what leads to this machine', () => {
  it.each(LOOPBACK)(
    '%s is refused before any connection, and reaches it when allowed',
    async (host) => {
      const url = `http://${host}:${port}/`;
      const before = connections;
      const error = await failure(guarded().fetch(url, {}));
      expect(error).toBeInstanceOf(AddressRefusedError);
      expect(error).toBeInstanceOf(RejectError);
      expect(connections).toBe(before);
      if (!hasIPv6 && /:|^inside6|^mapped/.test(host)) return;
      const response = await guarded('127.0.0.0/8,::1,::,0.0.0.0').fetch(url, {});
      expect(await response.text()).toBe('the secret');
    },
  );
});

describe('an address', () => {
  const nothing = new AllowedAddresses();

  it.each([
    ['this network', '0.1.2.3'],
    ['private', '10.255.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['shared by a carrier', '100.64.0.1'],
    ['link-local, where clouds keep credentials', '169.254.169.254'],
    ['for protocols', '192.0.0.8'],
    ['for benchmarks', '198.18.0.1'],
    ['for documentation', '203.0.113.5'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fd00::1'],
    ['multicast', 'ff02::1'],
    ['compatible with IPv4', '::7f00:1'],
    ['mapped IPv4', '::ffff:10.0.0.1'],
    ['translated IPv4', '64:ff9b::7f00:1'],
    ['translated within a network', '64:ff9b:1::1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001::1'],
    ['for documentation', '2001:db8::1'],
    ['discarded', '100::1'],
    ['not given out', '4000::1'],
    ['none', 'example'],
  ])('that is %s is refused: %s', (_, address) => {
    expect(nothing.allows(address, address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'that is public is allowed: %s',
    (address) => expect(nothing.allows(address, address)).toBe(true),
  );

  it('is allowed by network, address and name, and no other is', () => {
    const some = new AllowedAddresses('10.1.0.0/16, 127.0.0.1 ,fd00::/8,Hooks.Internal,');
    const allowed = (host: string, address = host) => some.allows(host, address);
    expect(allowed('10.1.255.255')).toBe(true);
    expect(allowed('10.2.0.0')).toBe(false);
    expect(allowed('::ffff:10.1.0.1')).toBe(true);
    expect(allowed('127.0.0.1')).toBe(true);
    expect(allowed('127.0.0.2')).toBe(false);
    expect(allowed('fdff::1')).toBe(true);
    expect(allowed('hooks.internal.', '192.168.0.9')).toBe(true);
    expect(allowed('evil.internal', '192.168.0.9')).toBe(false);
  });
});

describe('a name', () => {
  it('with a private address names it in the error', async () => {
    const error = await failure(guarded().fetch('http://private.test/', {}));
    expect((error as Error).message).toBe(
      'refused to connect to private.test (10.0.0.1, 192.168.1.1, fd00::1): it is not a public address; if it is meant, allow it in WEBHOOK_ALLOW',
    );
  });

  it('of several addresses is connected to at those that are allowed', async () => {
    const response = await guarded('127.0.0.1').fetch(`http://mixed.test:${port}/`, {});
    expect(await response.text()).toBe('the secret');
  });

  it('is resolved once: what a name server says next counts for nothing', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const asked: string[] = [];
    const rebinding: Resolve = (name, _options, callback) => {
      asked.push(name);
      const address = answers.shift();
      callback(null, address ? [{ address, family: 4 }] : []);
    };
    const response = await guarded('127.0.0.1', rebinding).fetch(`http://re.test:${port}/`, {});
    expect([response.status, asked]).toEqual([200, ['re.test']]);
  });

  it('that does not exist is no refusal', async () => {
    const error = await failure(guarded().fetch('http://nowhere.test/', {}));
    expect(error).not.toBeInstanceOf(RejectError);
  });
});

it.each(['ftp://8.8.8.8/', 'file:///etc/passwd', 'data:text/plain,hi', 'blob:x'])(
  '%s is neither http nor https',
  async (url) => {
    expect(await failure(guarded('0.0.0.0/0').fetch(url, {}))).toBeInstanceOf(RejectError);
  },
);

it('a redirect is an answer, not followed', async () => {
  const moving = createServer((_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
  );
  await once(moving.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void moving.close());
  const url = `http://127.0.0.1:${(moving.address() as AddressInfo).port}/`;
  const before = connections;
  const { status } = await guarded('127.0.0.1').fetch(url, {});
  expect([status, connections]).toEqual([302, before]);
});
