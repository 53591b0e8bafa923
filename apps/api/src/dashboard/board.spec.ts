import { Actor, Message, On } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Greeter, openStage, send, stageForTest } from '../../test/stage.js';

interface BoardQueues {
  queues: { name: string; readOnlyMode: boolean; jobs: { failedReason: string }[] }[];
}

class Lent extends Message('library.lent', z.object({ book: z.string() })) {}

/** Reads of books lent; the topic of the event is no actor here. */
@Actor({ name: 'reader' })
class Reader {
  @On(Lent)
  lent(): void {}
}

describe('on the memory store', () => {
  it.each(['/board', '/board/', '/board/api/queues'])(
    '%s says there is nothing to show',
    async (url) => {
      const app = await stageForTest();
      const response = await app.inject({ url });
      expect(response.statusCode).toBe(404);
      expect(response.json()).toMatchObject({
        code: 'not_found',
        detail: expect.stringContaining('the memory store has no queues to show') as string,
      });
    },
  );
});

describe('on a store with queues', () => {
  let folder: string;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'callsheet-board-'));
    app = await openStage({ url: `pglite:${folder}`, providers: [Greeter, Reader] });
  }, 60_000);

  afterAll(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  }, 60_000);

  it('serves the page and its files', async () => {
    const page = await app.inject({ url: '/board' });
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.body).toContain('<title>Callsheet</title>');
    const script = /src="(static\/[^"]+\.js)"/.exec(page.body)?.[1];
    expect((await app.inject({ url: `/board/${script}` })).statusCode).toBe(200);
    expect((await app.inject({ url: '/board/static/nope.js' })).statusCode).toBe(404);
  });

  it('shows the queue and the dead letters of each actor, with the reason', async () => {
    await send(app, { type: 'greeter.greet', data: { name: 'nobody' }, id: 'a' });
    const { queues } = await vi.waitUntil(
      async () => {
        const board = (
          await app.inject({ url: '/board/api/queues?activeQueue=greeter.dead' })
        ).json<BoardQueues>();
        return board.queues.some(({ jobs }) => jobs.length === 1) && board;
      },
      { timeout: 4_000 },
    );
    expect(queues.map(({ name }) => name)).toEqual([
      'greeter',
      'greeter.dead',
      'reader',
      'reader.dead',
      'schedule-deployments',
      'schedule-deployments.dead',
      'schedule-watchdog',
      'schedule-watchdog.dead',
      'schedules',
      'schedules.dead',
      'shelf',
      'shelf.dead',
      'sync',
      'sync.dead',
    ]);
    expect(queues[1]?.jobs[0]?.failedReason).toContain('nobody is there');
  });

  it.each(['greeter', 'greeter.dead', 'reader', 'shelf'])(
    'knows which data the jobs of %s have',
    async (queue) => {
      const url = `/board/api/queues/${queue}/job-data-schema`;
      const text = { type: 'string' };
      expect((await app.inject({ url })).json()).toMatchObject(
        {
          greeter: { title: 'greeter.greet', properties: { name: { ...text, maxLength: 100 } } },
          'greeter.dead': { title: 'greeter.greet', required: ['name'] },
          reader: { title: 'library.lent', properties: { book: text } },
          shelf: { title: 'shelf.keep', type: 'object' },
        }[queue]!,
      );
    },
  );

  it('pauses and resumes, and redrives dead letters with its retry button', async () => {
    const change = (path: string) =>
      app.inject({ method: 'PUT', url: `/board/api/queues/${path}` });
    expect((await change('greeter/pause')).statusCode).toBe(200);
    expect((await change('greeter/resume')).statusCode).toBe(200);
    expect((await change('greeter.dead/retry/failed')).statusCode).toBe(200);
    const redriven = async () =>
      (await app.inject({ url: '/v1/messages/a' })).json<{ redrives: number }>().redrives === 1;
    await vi.waitUntil(redriven, { timeout: 4_000 });
  });

  it('refuses changes from other sites', async () => {
    const response = await app.inject({
      method: 'PUT',
      url: '/board/api/queues/greeter/pause',
      headers: { origin: 'https://evil.example' },
    });
    expect(response.statusCode).toBe(403);
  });
});
