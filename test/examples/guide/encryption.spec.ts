import {
  Actor,
  Actors,
  CallsheetModule,
  Encryption,
  ENGINE,
  Handle,
  Keys,
  Message,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { EncryptedEngine } from '../../../libs/messaging/src/encryption/encrypted.engine.js';
import { sharedPglite } from '../../support/pglite.shared.js';

export class PutSecret extends Message(
  'vault.put',
  z.object({ owner: z.string(), secret: z.string() }),
  { key: 'owner', reply: z.number() },
) {}

export const VaultState = z.object({ secrets: z.array(z.string()).default([]) });

@Actor({ name: 'vault', state: VaultState })
export class VaultActor {
  @Handle(PutSecret)
  put({ secret }: PutSecret, turn: Turn<typeof VaultState>) {
    return turn.state.secrets.push(secret);
  }
}

const url = sharedPglite();

function moduleOf() {
  @Module({
    imports: [CallsheetModule.forRoot({ url, encryption: { keys: process.env.VAULT_KEYS } })],
    providers: [VaultActor],
  })
  class VaultModule {}
  return VaultModule;
}

async function start(keys: string) {
  vi.stubEnv('VAULT_KEYS', keys);
  const app = await Test.createTestingModule({ imports: [moduleOf()] }).compile();
  await app.init();
  return app;
}

const keyOf = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const [k1, k2] = [keyOf('k1', 1), keyOf('k2', 2)];
let app: Awaited<ReturnType<typeof start>>;
beforeEach(async () => void (app = await start(k1)));
afterEach(async () => {
  await app.close();
  vi.unstubAllEnvs();
});

it('asks, keeps state and rotates with encrypted payloads', async () => {
  const put = (secret: string) => app.get(Actors).ask(new PutSecret({ owner: 'ada', secret }));
  expect(await put('canary')).toBe(1);
  const stored = async () => {
    const { inside } = app.get<Engine>(ENGINE) as EncryptedEngine;
    return JSON.stringify(await inside.state('vault', 'ada'));
  };
  expect(await stored()).toContain('"kid":"k1"');
  expect(await stored()).not.toContain('canary');
  await app.close();
  app = await start(`${k2},${k1}`);
  const reports = await app.get(Encryption).rotate({ within: '10s' });
  expect(reports).toMatchObject([{ actor: 'vault', rotated: 1, states: 0, ended: 1, dead: 0 }]);
  expect(await stored()).toContain('"kid":"k2"');
  await app.close();
  app = await start(k2);
  expect(await put('another')).toBe(2);
  expect(await app.get(Keys).state(VaultActor, 'ada')).toEqual({ secrets: ['canary', 'another'] });
});

it('without keys says that there is nothing to rotate', async () => {
  await app.close();
  app = await start('');
  expect(app.get<Engine>(ENGINE)).not.toBeInstanceOf(EncryptedEngine);
  await expect(app.get(Encryption).rotate()).rejects.toThrow(/encryption.keys must be given/);
});
