import { Actor, Handle, Message, RejectError } from '@callsheet/messaging';
import { ConsoleLogger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/support/eventually.js';
import { openStage, send } from '../test/stage.js';

const CANARY = 'canary-4711-secret';

/** A message with a secret, of which its handler makes a mess. */
class Charge extends Message(
  'cashier.charge',
  z.strictObject({
    card: z.strictObject({ number: z.string(), owner: z.string() }),
    note: z.string(),
  }),
  { secret: ['card.number'] },
) {}

@Actor({ retry: { attempts: 1 } })
class Cashier {
  static isBroken = true;
  static seen: string[] = [];

  @Handle(Charge)
  charge({ card }: Charge): void {
    Cashier.seen.push(card.number);
    if (Cashier.isBroken) throw new RejectError(`the bank refuses ${card.number}`);
  }
}

const DATA = { card: { number: CANARY, owner: 'Ada' }, note: 'n' };
const MASKED = { card: { number: '[secret]', owner: 'Ada' }, note: 'n' };

let folder: string;
let app: NestFastifyApplication;
const written: string[] = [];

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    vi.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
      written.push(String(chunk));
      return write(chunk, ...(rest as []));
    });
  }
  folder = await mkdtemp(join(tmpdir(), 'callsheet-canary-'));
  app = await openStage({ url: `pglite:${folder}`, providers: [Cashier], messages: [Charge] });
  app.useLogger(new ConsoleLogger());
}, 60_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
  await rm(folder, { recursive: true });
}, 60_000);

describe('a secret', () => {
  it('is shown nowhere, while its message is sent, dies, is looked at and is put back', async () => {
    await send(app, { type: 'cashier.charge', data: DATA, id: 'c-1' });
    await send(app, { type: 'cashier.charge', data: DATA, id: 'c-2', delay: '1h' });
    await eventually(async () => (await app.inject('/v1/dead-letters/c-1')).statusCode === 200);
    const jobId = await boardIdOf('cashier:cashier.dead');

    const shown = await Promise.all(
      [
        '/v1/messages/c-1',
        '/v1/messages/c-2',
        '/v1/messages?actor=cashier',
        '/v1/dead-letters',
        '/v1/dead-letters/c-1',
        '/v1/dead-letters:groups',
        '/v1/actors',
        '/v1/audit',
        '/metrics',
        '/openapi.json',
        '/board/api/queues?activeQueue=cashier:cashier.dead',
        '/board/api/queues?activeQueue=cashier:cashier&status=delayed',
        `/board/api/queues/cashier:cashier.dead/${jobId}`,
        `/board/api/queues/cashier:cashier.dead/${jobId}/logs`,
        `/board/api/queues/cashier:cashier.dead/${jobId}/flow`,
      ].map(async (url) => {
        const { statusCode, body } = await app.inject({ url });
        return { url, statusCode, body };
      }),
    );
    expect(shown.filter(({ body }) => body.includes(CANARY)).map(({ url }) => url)).toEqual([]);
    expect(shown.filter(({ statusCode }) => statusCode >= 400)).toEqual([]);
    // They are not empty.
    const holding = shown.filter(
      ({ url }) => /c-[12]$|cashier/.test(url) && !/logs|flow/.test(url),
    );
    expect(holding.filter(({ body }) => !body.includes('[secret]'))).toEqual([]);
    expect(holding).toHaveLength(7);
    const view = await app.inject('/v1/dead-letters/c-1');
    expect(view.json()).toMatchObject({ data: MASKED });
  });

  it('is not in the problem of a body that is wrong', async () => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages',
      payload: { type: 'cashier.charge', data: { ...DATA, note: 7, [CANARY]: CANARY.length } },
    });
    expect(response.statusCode).toBe(422);
    expect(
      response.json<{ errors: { path: string }[] }>().errors.map(({ path }) => path),
    ).toContain('data/note');
  });

  it('is as it was in a letter that is mended', async () => {
    Cashier.isBroken = false;
    Cashier.seen.length = 0;
    const payload = { data: { ...MASKED, note: 'mended' } };
    const redriven = await app.inject({
      method: 'POST',
      url: '/v1/dead-letters/c-1/redrive',
      payload,
    });
    expect(redriven.statusCode).toBe(202);
    await eventually(() => expect(Cashier.seen).toEqual([CANARY]));
    await eventually(async () => (await app.inject('/v1/audit')).body.includes('redrive'));
    expect((await app.inject('/v1/audit')).body).not.toContain(CANARY);
  });

  it('is not lost to a mask that comes back from the board', async () => {
    const jobId = await boardIdOf('cashier:cashier', 'delayed');
    const response = await app.inject({
      method: 'PATCH',
      url: `/board/api/queues/cashier:cashier/${jobId}/update-data`,
      payload: { jobData: MASKED },
    });
    expect([response.statusCode, response.body]).toEqual([400, expect.stringContaining('masked')]);
  });

  it('is not shown by what keeps the time of a schedule, which nobody cancels', async () => {
    const message = { type: 'cashier.charge', data: DATA };
    const plan = { id: 'monthly', message, cron: '0 7 1 * *', tz: 'UTC' };
    const made = await app.inject({ method: 'POST', url: '/v1/schedules', payload: plan });
    expect(made.statusCode).toBe(201);
    const list = await app.inject('/v1/messages?actor=schedules');
    const { items } = list.json<{ items: { id: string; state: string }[] }>();
    const timer = items.find(({ state }) => state === 'delayed')!;
    for (const url of [
      '/v1/messages?actor=schedules',
      `/v1/messages/${encodeURIComponent(timer.id)}`,
      '/v1/schedules/monthly',
      '/board/api/queues?activeQueue=schedules:schedules',
      '/v1/audit',
    ]) {
      const { statusCode, body } = await app.inject(url);
      expect([url, statusCode, body.includes(CANARY)]).toEqual([url, 200, false]);
    }
    const key = { name: 'op', role: 'operator' };
    const operator = await app.inject({ method: 'POST', url: '/v1/api-keys', payload: key });
    const headers = { authorization: `Bearer ${operator.json<{ key: string }>().key}` };
    for (const url of [
      '/v1/actors/schedules/keys/monthly',
      '/v1/actors/schedules/keys/monthly/journal',
    ]) {
      const { statusCode, body } = await app.inject({ url, headers });
      expect([url, statusCode, body.includes(CANARY)]).toEqual([url, 403, false]);
    }
    const cancelled = await app.inject({
      method: 'DELETE',
      url: `/v1/messages/${encodeURIComponent(timer.id)}`,
    });
    expect(cancelled.json()).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('is in no line of the log', () => {
    expect(written.join('')).toContain('the bank refuses [secret]');
    expect(written.filter((line) => line.includes(CANARY))).toEqual([]);
  });
});

/** The id of the first job of a queue on the board. */
async function boardIdOf(queue: string, status = 'latest'): Promise<string> {
  const { body } = await app.inject(`/board/api/queues?activeQueue=${queue}&status=${status}`);
  const { queues } = JSON.parse(body) as { queues: { name: string; jobs: { id: string }[] }[] };
  const id = queues.find(({ name }) => name === queue)?.jobs[0]?.id;
  if (id === undefined) throw new Error(`no job in ${queue}`);
  return encodeURIComponent(id);
}
