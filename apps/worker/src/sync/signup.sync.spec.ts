import { SendEmail } from '@callsheet/contracts';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Pipelines, SyncModule } from '@callsheet/sync';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeDir, tempDir } from '../../../../test/support/temp.js';
import { Settings } from '../settings.js';
import { SignupSync } from './signup.sync.js';

it('sends a mail for each sign-up, and keeps those that have no address', async () => {
  const dir = tempDir('callsheet-signups-');
  const settings = new Settings({ SIGNUPS_FILE: path.join(dir, 'signups.csv') });
  writeFileSync(settings.signupsFile, 'id,email,name\n1,ada@example.org,Ada\n2,nowhere,Bob\n');
  await using t = await TestCallsheet.create({
    imports: [SyncModule],
    providers: [SignupSync, { provide: Settings, useValue: settings }],
  });
  t.probe(SendEmail);
  await t.drain();
  await t.get(Pipelines).run('signups');
  await expect
    .poll(async () => {
      await t.drain();
      return t.get(Pipelines).get('signups');
    })
    .toMatchObject({ state: 'idle', rows: 1, bad: 1 });
  expect(t.sent(SendEmail)).toMatchObject([{ to: 'ada@example.org', subject: 'Welcome, Ada' }]);
  removeDir(dir);
});
