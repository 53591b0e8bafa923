import { Actor, Message, On } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Greeter, openStage, send, stageForTest } from '../../test/stage.js';

interface BoardQueues {
  queues: { name: string; jobs: BoardJob[] }[];
}

interface BoardJob {
  id: string;
  name: string;
  failedReason: string;
  groupId?: string;
}

/** What the board calls a queue, which it groups by actor. */
function onBoard(queue: string): string {
  return `${queue.replace(/\.dead$/, '')}:${queue}`;
}

/** Messages whose actor runs nowhere, those of a title one after the other. */
class Bind extends Message('bindery.bind', z.object({ title: z.string(), secret: z.string() }), {
  key: 'title',
  secret: ['secret'],
}) {}
class Open extends Message('bindery.open', z.object({})) {}

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
    app = await openStage({
      url: `pglite:${folder}`,
      providers: [Greeter, Reader],
      messages: [Bind, Open],
    });
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
          await app.inject({ url: '/board/api/queues?activeQueue=greeter:greeter.dead' })
        ).json<BoardQueues>();
        return board.queues.some(({ jobs }) => jobs.length === 1) && board;
      },
      { timeout: 4_000 },
    );
    const actors = [
      ...[
        'bindery',
        'greeter',
        'reader',
        'schedule-deployments',
        'schedule-watchdog',
        'schedules',
        'shelf',
      ],
      'sync',
    ];
    expect(queues.map(({ name }) => name)).toEqual(
      actors.flatMap((actor) => [`${actor}:${actor}`, `${actor}:${actor}.dead`]),
    );
    expect(queues[3]?.jobs[0]?.failedReason).toContain('nobody is there');
  });

  it.each([
    ['/greeter', '/greeter%3Agreeter'],
    ['/greeter.dead?status=failed', '/greeter%3Agreeter.dead?status=failed'],
    ['/schedule-watchdog/a%2Fb', '/schedule-watchdog%3Aschedule-watchdog/a%2Fb'],
  ])('leads from the page of a queue by its own name, %s, to %s', async (own, grouped) => {
    const response = await app.inject({ url: `/board/queue${own}` });
    expect([response.statusCode, response.headers.location]).toEqual([
      302,
      `/board/queue${grouped}`,
    ]);
    expect((await app.inject({ url: `/board/queue${grouped}` })).statusCode).toBe(200);
  });

  it('says of each job which key it has, and how many stand before it', async () => {
    const book = (title: string) => ({ type: 'bindery.bind', data: { title, secret: 'canary' } });
    for (const id of ['k-0', 'k-1', 'k-2']) await send(app, { ...book('emma'), id });
    await send(app, { ...book('emma'), id: 'k-3', delay: '1h' });
    await send(app, { type: 'bindery.open', data: {}, id: 'k-4' });
    const url = '/board/api/queues?activeQueue=bindery:bindery&jobsPerPage=10';
    const { queues } = (await app.inject({ url })).json<BoardQueues>();
    const jobs = queues.flatMap((queue) => queue.jobs);
    expect(jobs.map(({ groupId = '' }) => groupId).sort()).toEqual([
      '',
      'emma',
      'emma, 1 before it',
      'emma, 2 before it',
      'emma, first',
    ]);
    const { id } = jobs.find(({ groupId }) => groupId === 'emma, 2 before it')!;
    const own = await app.inject({
      url: `/board/api/queues/bindery:bindery/${encodeURIComponent(id)}`,
    });
    expect(own.json()).toMatchObject({
      job: { groupId: 'emma, 2 before it', data: { title: 'emma', secret: '[secret]' } },
    });
  });

  it.each(['greeter', 'greeter.dead', 'reader', 'shelf'])(
    'knows which data the jobs of %s have',
    async (queue) => {
      const url = `/board/api/queues/${onBoard(queue)}/job-data-schema`;
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
    expect((await change('greeter:greeter/pause')).statusCode).toBe(200);
    expect((await change('greeter:greeter/resume')).statusCode).toBe(200);
    expect((await change('greeter:greeter.dead/retry/failed')).statusCode).toBe(200);
    const redriven = async () =>
      (await app.inject({ url: '/v1/messages/a' })).json<{ redrives: number }>().redrives === 1;
    await vi.waitUntil(redriven, { timeout: 4_000 });
  });

  it('refuses changes from other sites', async () => {
    const response = await app.inject({
      method: 'PUT',
      url: '/board/api/queues/greeter:greeter/pause',
      headers: { origin: 'https://evil.example' },
    });
    expect(response.statusCode).toBe(403);
  });
});
