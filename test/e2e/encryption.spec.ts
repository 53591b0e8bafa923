import path from 'node:path';
import { Redis } from 'ioredis';
import { beforeAll, expect, it } from 'vitest';
import type { KeyView } from '../../apps/api/src/keys/key.view.js';
import { mailTo } from '../support/api.client.js';
import { ROOT } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { Child } from '../support/child.js';
import { atEnd } from '../support/cleanup.js';
import { startApi, startStandalone } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis.server.js';
import { tempDir } from '../support/temp.js';

const keyOf = (id: string, byte: number): string =>
  `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const [k1, k2] = [keyOf('k1', 1), keyOf('k2', 2)];
const CANARY = 'canary-4c1d';

serverSuite('redis-server', 'an application with CALLSHEET_ENCRYPTION_KEYS', () => {
  let url: string;
  let redis: Redis;
  const env = (...keys: string[]) => ({
    CALLSHEET_URL: url,
    CALLSHEET_ENCRYPTION_KEYS: keys.join(','),
  });
  beforeAll(async () => {
    url = (await startRedis({ appendonly: true })).url;
    redis = new Redis(url);
    atEnd(() => redis.disconnect());
  });

  // Five processes start one after the other, beside those of other files.
  it(
    'shows what it keeps to those with the key, and goes on with another one',
    { timeout: 240_000 },
    async () => {
      const first = await startStandalone(env(k1));
      const mail = await first.api.tell(mailTo('ada@example.org', CANARY));
      await first.api.until(mail.id, 'done');
      const money = { type: 'account.deposit', data: { accountId: 'ada', amount: 4_200 } };
      expect(await first.api.request('POST', '/v1/messages', money)).toMatchObject({ status: 202 });
      const account = (api: typeof first.api) =>
        api.request<KeyView>('GET', '/v1/actors/account/keys/ada');
      await eventually(async () =>
        expect((await account(first.api)).body.state?.data).toMatchObject({ balance: 4_200 }),
      );
      const shown = await first.api.message(mail.id);
      expect(shown.data).toMatchObject({ subject: CANARY });
      expect(shown).not.toHaveProperty('unreadable');
      const job = await redis.hgetall(`{callsheet}:email:${mail.id}`);
      expect(JSON.stringify(job)).toContain('$encrypted');
      expect(JSON.stringify(job)).not.toContain(CANARY);
      const board = await fetch(`${first.api.url}/board/api/queues/email:email/${mail.id}`);
      expect(await board.text()).toMatch(/\$encrypted.*k1/);
      await first.app.stop();

      const second = await startStandalone(env(k2, k1));
      const { PATH, HOME } = process.env;
      const command = new Child(
        process.execPath,
        [path.join(ROOT, 'scripts/start.mjs'), 'encryption:rotate'],
        { cwd: tempDir(), env: { PATH, HOME, ...env(k2, k1) } },
      );
      // The mail is kept with the old key.
      expect((await command.exited).code, command.output).toBe(2);
      expect(command.stdout).toMatch(/^account: 1 states rotated/m);
      expect(command.stdout).toMatch(/^email: 0 states rotated; left: 1 ended messages$/m);
      expect(command.stdout).toMatch(/keep the others/);
      expect((await second.api.message(mail.id)).data).toMatchObject({ subject: CANARY });
      await second.app.stop();

      const [late, bare] = await Promise.all([startApi(url, env(k2)), startApi(url)]);
      expect((await account(late.api)).body.state).toMatchObject({ data: { balance: 4_200 } });
      expect(await late.api.message(mail.id)).toMatchObject({
        data: { $encrypted: { kid: 'k1' } },
        unreadable: "is encrypted with key 'k1', which this process does not have",
      });
      expect((await account(bare.api)).body.state).toMatchObject({
        unreadable: "is encrypted with key 'k2', which this process does not have",
      });
    },
  );
});
