import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendEmail } from '@callsheet/contracts';
import { Actors, CallsheetModule, OptionError } from '@callsheet/messaging';
import { Schedules } from '@callsheet/scheduler';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { WorkerModule } from './worker.module.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outbox-'));
  vi.stubEnv('OUTBOX_DIR', folder);
  vi.stubEnv('SMTP_URL', '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const compile = () =>
  Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url: 'memory:' }), WorkerModule],
  }).compile();

it('boots, schedules the heartbeat and turns a message into a mail', async () => {
  const app = await compile();
  await app.init();
  try {
    await eventually(async () => {
      const schedules = await app.get(Schedules, { strict: false }).list();
      expect(schedules.map(({ id }) => id)).toEqual(['heartbeat.beat', 'signups.run']);
    });
    const { id } = await app
      .get(Actors, { strict: false })
      .tell(new SendEmail({ to: 'ada@example.org', subject: 'Hello', text: 'Hi' }));
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([`${id}.eml`]));
  } finally {
    await app.close();
  }
});

it('does not start with a malformed secret', async () => {
  vi.stubEnv('WEBHOOK_SECRET', 'hunter2');
  await expect(compile()).rejects.toThrow(OptionError);
});
