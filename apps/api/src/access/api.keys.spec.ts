import { ENGINE, type Engine, type JsonObject } from '@callsheet/messaging';
import { VirtualClock } from '@callsheet/messaging/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStage } from '../../test/stage.js';
import { ApiKeys } from './api.keys.js';
import type { Principal } from './principal.js';

const ADMIN: Principal = { id: 'environment', name: 'root', role: 'admin' };
const DAY = 86_400_000;

let engine: Engine;
let clock: VirtualClock;
let keys: ApiKeys;

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await openStage();
  engine = app.get<Engine>(ENGINE);
});
afterAll(() => app.close());

beforeEach(async () => {
  for (const owner of Object.keys((await engine.bindings())?.owners ?? {})) {
    await engine.bind(owner, undefined);
  }
  clock = new VirtualClock();
  keys = new ApiKeys(engine, clock);
});

describe('an API key', () => {
  it('stands for whom it was made', async () => {
    const options = {
      name: 'shop',
      role: 'operator',
      permissions: ['messages:send'],
      tenant: 'acme',
    } as const;
    const { key, record } = await keys.create(options, ADMIN);
    expect(key).toMatch(/^cs_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(record).toEqual({
      ...options,
      id: key.slice(3, 19),
      createdAt: clock.now(),
      createdBy: 'environment',
    });
    expect(await keys.verify(key)).toEqual({ ...options, id: `api-key:${record.id}` });
    expect(await keys.list()).toEqual([record]);
  });

  it('is not in the store, its digest is', async () => {
    const { key } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    const stored = JSON.stringify(await engine.bindings());
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(key.slice(20));
    expect(stored).toMatch(/"digest":"[0-9a-f]{64}"/);
  });

  it.each([
    ['another secret', (key: string) => `${key.slice(0, 20)}${'A'.repeat(43)}`],
    ['another id', (key: string) => `cs_${'0'.repeat(16)}${key.slice(19)}`],
    ['a part', (key: string) => key.slice(0, -1)],
    ['more', (key: string) => `${key}A`],
    ['another case', (key: string) => key.toUpperCase()],
    ['nothing', () => ''],
  ])('is not %s', async (_, other) => {
    const { key } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    expect(await keys.verify(other(key))).toBeUndefined();
    expect(await keys.verify(key)).toBeDefined();
  });

  it('ends when it expires', async () => {
    const { key, record } = await keys.create(
      { name: 'shop', role: 'viewer', expiresIn: DAY },
      ADMIN,
    );
    await clock.advance(DAY - 1);
    expect(await keys.verify(key)).toBeDefined();
    await clock.advance(1);
    expect(await keys.verify(key)).toBeUndefined();
    expect(await keys.holder(record.id)).toBeUndefined();
    // Whoever looks sees that it expired.
    expect(await keys.list()).toMatchObject([{ id: record.id, expiresAt: clock.now() }]);
  });

  it('is rotated: both secrets hold for a while, then the new one', async () => {
    const { key: old, record } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    const { key } = await keys.rotate(record.id, DAY, ADMIN);
    expect(key.slice(0, 20)).toBe(old.slice(0, 20));
    expect(key).not.toBe(old);
    expect(await keys.verify(old)).toEqual(await keys.verify(key));
    await clock.advance(DAY);
    expect(await keys.verify(old)).toBeUndefined();
    expect(await keys.verify(key)).toBeDefined();
  });

  it('is rotated at once when its secret is out', async () => {
    const { key: old, record } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    const { key } = await keys.rotate(record.id, 0, ADMIN);
    expect([await keys.verify(old), await keys.verify(key)]).toEqual([
      undefined,
      expect.objectContaining({ name: 'shop' }),
    ]);
  });

  it('rotated by two at once gives each a secret that holds, or an error', async () => {
    const { record } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    const processes = [new ApiKeys(engine, clock), new ApiKeys(engine, clock)];
    const rotations = await Promise.allSettled(
      processes.map((each) => each.rotate(record.id, DAY, ADMIN)),
    );
    const refused = rotations.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ code: 'key_changed' })]);
    const given = rotations.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const later = new ApiKeys(engine, clock);
    expect(await later.verify(given[0]!.key)).toMatchObject({ name: 'shop' });
  });

  it('is gone for good when it is revoked, also for who rotates it meanwhile', async () => {
    const { key, record } = await keys.create({ name: 'shop', role: 'viewer' }, ADMIN);
    const other = new ApiKeys(engine, clock);
    await other.list();
    await keys.revoke(record.id, ADMIN);
    expect(await keys.verify(key)).toBeUndefined();
    // It was read before it was revoked, and is written after.
    const bound = await engine.bound(`api-key:${record.id}`);
    const late = { ...record, digest: 'x', revision: 2 } as unknown as JsonObject;
    expect(await engine.bind(`api-key:${record.id}`, late)).toBe(false);
    expect(await engine.bound(`api-key:${record.id}`)).toEqual(bound);
    await expect(other.rotate(record.id, 0, ADMIN)).rejects.toMatchObject({ code: 'not_found' });
    expect(await keys.list()).toEqual([]);
  });

  it('made elsewhere holds here at once', async () => {
    await keys.list();
    const { key } = await new ApiKeys(engine, clock).create({ name: 'b', role: 'viewer' }, ADMIN);
    expect(await keys.verify(key)).toMatchObject({ name: 'b' });
  });

  it('rotated elsewhere holds here at once', async () => {
    const { key: old, record } = await keys.create({ name: 'b', role: 'viewer' }, ADMIN);
    const { key } = await new ApiKeys(engine, clock).rotate(record.id, DAY, ADMIN);
    expect(await keys.verify(key)).toMatchObject({ name: 'b' });
    expect(await keys.verify(old)).toMatchObject({ name: 'b' });
  });

  it('costs the store one look for many strangers', async () => {
    await keys.list();
    const looks = vi.spyOn(engine, 'bindings');
    onTestFinished(() => looks.mockRestore());
    const strangers = Array.from({ length: 500 }, (_, n) => {
      const id = n.toString(16).padStart(16, '0');
      return keys.verify(`cs_${id}_${'A'.repeat(43)}`);
    });
    expect(new Set(await Promise.all(strangers))).toEqual(new Set([undefined]));
    expect(looks.mock.calls.length).toBeLessThanOrEqual(2);
  });
});

describe('nobody gives away what he has not', () => {
  const operator: Principal = { id: 'api-key:1', name: 'op', role: 'operator' };
  const maker: Principal = {
    id: 'api-key:2',
    name: 'maker',
    role: 'admin',
    permissions: ['api-keys:write', 'messages:read'],
  };

  it.each([
    [operator, { role: 'admin' }],
    [maker, { role: 'viewer' }],
    [maker, { role: 'admin', permissions: ['messages:read', 'messages:send'] }],
    [{ ...ADMIN, tenant: 'acme' }, { role: 'viewer' }],
    [
      { ...ADMIN, tenant: 'acme' },
      { role: 'viewer', tenant: 'other' },
    ],
  ] as const)('%o makes no key of %o', async (by, options) => {
    await expect(keys.create({ name: 'more', ...options }, by)).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await keys.list()).toEqual([]);
  });

  it('and takes none over', async () => {
    const { key, record } = await keys.create({ name: 'root', role: 'admin' }, ADMIN);
    await expect(keys.rotate(record.id, 0, maker)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await keys.verify(key)).toMatchObject({ role: 'admin' });
    const { record: less } = await keys.create(
      { name: 'less', role: 'admin', permissions: ['messages:read'] },
      maker,
    );
    expect(less).toMatchObject({ createdBy: 'api-key:2', permissions: ['messages:read'] });
  });
});
