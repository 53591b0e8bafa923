import {
  Activity,
  Actor,
  CLOCK,
  ENGINE,
  Handle,
  Happenings,
  Message,
  QuarantineError,
  Signals,
  StoreError,
  type MessageClass,
  type Turn,
} from '@callsheet/messaging';
import { Pipeline } from '@callsheet/sync';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { EventPeer } from '../../../../test/support/event.peer.js';
import { eventually } from '../../../../test/support/eventually.js';
import { Greeter, send, stageForTest } from '../../test/stage.js';
import { ActivitySeries } from './activity.series.js';
import type { ActivityView } from './activity.view.js';
import { EventFeed } from './event.feed.js';
import { EventSettings } from './event.settings.js';
import { events } from './event.view.js';
import { QueueCounts } from './queue.counts.js';

const ROOT = 'k'.repeat(32);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const TYPES = [
  ...['hello', 'activity', 'dead-letter', 'key', 'actor', 'schedule', 'pipeline', 'audit'],
  'left-out',
];

class Put extends Message('vault.put', z.object({ vault: z.string() }), { key: 'vault' }) {}

@Actor({ state: z.object({ coins: z.int().default(0) }) })
class Vault {
  @Handle(Put) put(_: Put, _turn: Turn): void {
    throw new QuarantineError('the secret 4711 is out');
  }
}

@Pipeline({ name: 'numbers', every: '1h' })
class Numbers {
  pull = () => ({ rows: [1, 2, 3], cursor: 3, more: false });
  push(): void {}
}

async function staged(options: Parameters<typeof stageForTest>[0] = {}) {
  const messages = [Put as unknown as MessageClass];
  const app = await stageForTest({ providers: [Greeter, Vault, Numbers], messages, ...options });
  Object.assign(app.get(EventSettings), { counts: 0 });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { app, url };
}

async function follow(url: string, query = '', headers = {}): Promise<EventPeer> {
  return new EventPeer(`${url}/v1/events${query}`, TYPES, headers).has('hello');
}

const post = (app: NestFastifyApplication, url: string, payload?: object, method = 'POST') =>
  app.inject({ method: method as 'POST', url, ...(payload && { payload }) });

async function makeKey(
  app: NestFastifyApplication,
  body: object,
): Promise<{ id: string; key: string }> {
  const options = { method: 'POST', url: '/v1/api-keys', headers: bearer(ROOT) } as const;
  return (await app.inject({ ...options, payload: { name: 'ada', ...body } })).json();
}

/** All that was told of an actor, together. */
function activityOf(peer: EventPeer, name: string) {
  const all = peer.of('activity').flatMap(({ actors }) => actors as Record<string, unknown>[]);
  const own = all.filter(({ actor }) => actor === name);
  const sum = (field: string) => own.reduce((total, each) => total + Number(each[field]), 0);
  return {
    ...{ done: sum('done'), failed: sum('failed'), dead: sum('dead'), sent: sum('sent') },
    latency: own.find(({ latency }) => latency !== undefined)?.['latency'],
    counts: own.findLast(({ counts }) => counts !== undefined)?.['counts'],
  };
}

describe('the events', () => {
  it('tell what actors do, and how much waits for them, once a second', async () => {
    const { app, url } = await staged();
    const [all, shelf] = [await follow(url), await follow(url, '?kinds=activity&actor=shelf')];
    for (const name of ['Ada', 'Grace', 'nobody']) {
      await send(app, { type: 'greeter.greet', data: { name } });
    }
    await send(app, { type: 'shelf.keep', data: {} });
    await eventually(() => {
      expect(activityOf(all, 'greeter')).toEqual({
        ...{ done: 2, failed: 1, dead: 1, sent: 3 },
        latency: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
        counts: { waiting: 0, delayed: 0, active: 0, done: 2, dead: 1 },
      });
      expect(activityOf(shelf, 'shelf')).toMatchObject({ sent: 1, counts: { waiting: 1 } });
    });
    expect(all.of('hello')).toEqual([
      {
        at: expect.stringMatching(/Z$/),
        store: expect.stringMatching(/memory/i),
        kinds: ['activity', 'dead-letter', 'key', 'actor', 'schedule', 'pipeline', 'audit'],
      },
    ]);
    await all.has('dead-letter');
    // What it must not be told would have come before this.
    await send(app, { type: 'shelf.keep', data: {} });
    await eventually(() => expect(activityOf(shelf, 'shelf').sent).toBe(2));
    expect(new Set(shelf.told.map(({ type }) => type))).toEqual(new Set(['hello', 'activity']));
    expect(activityOf(shelf, 'greeter').sent).toBe(0);
  });

  it('tell how much waits when somebody comes, also where nothing is done', async () => {
    const { app, url } = await staged();
    await send(app, { type: 'shelf.keep', data: {} });
    for (let n = 0; n < 2; n++) {
      const peer = await follow(url, '?actor=shelf');
      await eventually(() => activityOf(peer, 'shelf').counts !== undefined);
      expect(activityOf(peer, 'shelf').counts).toMatchObject({ waiting: 1 });
    }
  });

  it('tell of dead letters and keys that stop, without what is secret', async () => {
    const { app, url } = await staged();
    const peer = await follow(url);
    const dead = await send(app, { type: 'greeter.greet', data: { name: 'nobody' } });
    const stopped = await send(app, { type: 'vault.put', data: { vault: 'north' } });
    await peer.has('dead-letter').then(() => peer.has('key'));
    const letter = (await app.inject({ url: `/v1/dead-letters/${dead}` })).json<object>();
    expect(peer.of('dead-letter')).toEqual([
      {
        at: expect.stringMatching(/Z$/),
        ...{ id: dead, actor: 'greeter', type: 'greeter.greet', reason: 'rejected', attempts: 1 },
        ...{ error: 'RejectError', fingerprint: (letter as { fingerprint: string }).fingerprint },
      },
    ]);
    await post(app, '/v1/actors/vault/keys/north/release');
    // It stops again at once: which of the two is told first is nobody's to say.
    await eventually(() => {
      const what = new Set(peer.of('key').map((each) => each['what']));
      expect(what).toEqual(new Set(['quarantined', 'released']));
    });
    const common = { at: expect.stringMatching(/Z$/), actor: 'vault', key: 'north' };
    expect(peer.of('key')[0]).toEqual({
      ...{ ...common, what: 'quarantined' },
      ...{ id: stopped, type: 'vault.put', error: 'QuarantineError' },
    });
    expect(peer.of('key')).toContainEqual({ ...common, what: 'released' });
    expect(JSON.stringify(peer.told)).not.toContain('4711');
  });

  it('tell of pauses of actors, changes of schedules, runs of pipelines, and who did it', async () => {
    const { app, url } = await staged();
    const peer = await follow(url);
    const other = await follow(url, '?actor=vault');
    await post(app, '/v1/actors/greeter/pause', { reason: 'too loud' });
    await post(app, '/v1/actors/greeter/resume');
    await post(app, '/v1/schedules', {
      ...{ id: 'weekly', cron: '0 7 * * 1', message: { type: 'shelf.keep', data: {} } },
    });
    await post(app, '/v1/schedules/weekly/pause', { reason: 'holiday' });
    await post(app, '/v1/schedules/weekly', undefined, 'DELETE');
    await post(app, '/v1/sync/numbers/run');
    await post(app, '/v1/sync/numbers/pause', { reason: 'enough' });
    await eventually(() => {
      const what = (type: string) => peer.of(type).map((each) => each['what']);
      expect(what('actor')).toEqual(['paused', 'resumed']);
      expect(what('schedule').slice(-3)).toEqual(['created', 'paused', 'removed']);
      expect(what('pipeline')).toEqual(['done', 'paused']);
      expect(peer.of('audit').map(({ call }) => call)).toEqual([
        'POST /v1/actors/:actor/pause',
        'POST /v1/actors/:actor/resume',
        'POST /v1/schedules',
        'POST /v1/schedules/:id/pause',
        'DELETE /v1/schedules/:id',
        'POST /v1/sync/:pipeline/run',
        'POST /v1/sync/:pipeline/pause',
      ]);
    });
    expect(peer.of('actor')[0]).toMatchObject({ actor: 'greeter', reason: 'too loud' });
    expect(peer.of('schedule').at(-1)).toMatchObject({ schedule: 'weekly' });
    expect(peer.of('pipeline')[0]).toMatchObject({
      pipeline: 'numbers',
      rows: 3,
      reason: 'manual',
    });
    expect(peer.of('audit')[0]).toEqual({
      at: expect.stringMatching(/Z$/),
      ...{ who: 'local', name: 'local', call: 'POST /v1/actors/:actor/pause' },
      ...{ path: '/v1/actors/greeter/pause', status: 200 },
    });
    await post(app, '/v1/actors/vault/pause', { reason: 'full' });
    await other.has('actor');
    expect(other.of('actor').map(({ actor }) => actor)).toEqual(['vault']);
    const others = new Set(other.told.map(({ type }) => type));
    expect([others.has('schedule'), others.has('pipeline')]).toEqual([false, false]);
    for (const { type, data } of peer.told) events.parse({ event: type, data });
  });

  it('tell how many there were, when there were too many', async () => {
    const { app, url } = await staged();
    const peer = await follow(url, '?kinds=dead-letter');
    // All within one second.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => clock.mockRestore());
    const nobody = { type: 'greeter.greet', data: { name: 'nobody' } };
    const messages = Array.from({ length: 50 }, () => nobody);
    expect((await post(app, '/v1/messages:batch', { messages })).statusCode).toBe(202);
    const known = () => {
      const left = peer.of('left-out').reduce((sum, { count }) => sum + Number(count), 0);
      return peer.of('dead-letter').length + left;
    };
    await eventually(() => expect(known()).toBe(50));
    expect(peer.of('dead-letter')).toHaveLength(20);
    expect(peer.of('left-out')[0]).toMatchObject({ kind: 'dead-letter' });
  });

  it('are of the kinds that one may read', async () => {
    const { app, url } = await staged({ apiKey: ROOT });
    const viewer = await makeKey(app, { role: 'viewer' });
    const narrow = await makeKey(app, { role: 'admin', permissions: ['actors:read'] });
    const tenant = await makeKey(app, { role: 'admin', tenant: 'acme' });
    const kinds = async (key: string, query = '') =>
      (await follow(url, query, bearer(key))).of('hello')[0]?.['kinds'];
    expect(await kinds(viewer.key)).toEqual([
      'activity',
      'dead-letter',
      'key',
      'actor',
      'schedule',
      'pipeline',
    ]);
    expect(await kinds(narrow.key)).toEqual(['activity', 'key', 'actor']);
    expect(await kinds(ROOT, '?kinds=audit,key')).toEqual(['audit', 'key']);
    const refused = async (key: string, query: string) =>
      (await app.inject({ url: `/v1/events${query}`, headers: bearer(key) })).json<object>();
    expect(await refused(viewer.key, '?kinds=key,audit')).toMatchObject({
      ...{ status: 403, code: 'forbidden', detail: expect.stringContaining('audit:read') },
    });
    expect(await refused(tenant.key, '')).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it.each([
    ['?kinds=news', 'kinds/0'],
    ['?kinds=', 'kinds/0'],
    ['?kinds=key,', 'kinds/1'],
    ['?kinds=key&kinds=actor', 'kinds'],
    ['?kinds=__proto__', 'kinds/0'],
    [`?kinds=${'key,'.repeat(30)}key`, 'kinds'],
    ['?actor=nobody', 'actor'],
    ['?actor=audit-log', 'actor'],
    ['?actor=', 'actor'],
    ['?since=1', 'since'],
  ])('are refused for %s', async (query, path) => {
    const app = await stageForTest();
    expect((await app.inject({ url: `/v1/events${query}` })).json()).toMatchObject({
      ...{ status: 422, code: 'invalid_query', errors: [{ path }] },
    });
  });

  it('end when the key is revoked', async () => {
    const { app, url } = await staged({ apiKey: ROOT });
    Object.assign(app.get(EventSettings), { beat: 0 });
    const { id, key } = await makeKey(app, { role: 'viewer' });
    const peer = await follow(url, '', bearer(key));
    const options = { method: 'DELETE', url: `/v1/api-keys/${id}`, headers: bearer(ROOT) } as const;
    expect((await app.inject(options)).statusCode).toBe(204);
    await eventually(() => !peer.isOpen);
    expect(peer.of('hello')).toHaveLength(1);
  });

  it('are for so many at once, and make room when one goes', async () => {
    const { app, url } = await staged();
    Object.assign(app.get(EventSettings), { clients: 2 });
    const [first] = [await follow(url), await follow(url)];
    const third = await fetch(`${url}/v1/events`);
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await third.json()).toMatchObject({ code: 'too_many_streams' });
    first.close();
    await eventually(async () => {
      const head = await fetch(`${url}/v1/events`, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ]);
    });
    expect((await follow(url)).of('hello')).toHaveLength(1);
  });

  it('cut off who does not take them, and nobody else', async () => {
    const { app, url } = await staged();
    const peer = await follow(url, '?kinds=actor');
    const slow = await opened(url);
    const isCut = once(slow, 'close').then(() => true);
    const signals = app.get(Signals);
    const told = { kind: 'actor', at: Date.now(), what: 'paused', actor: 'greeter' };
    const text = JSON.stringify([{ ...told, reason: 'x'.repeat(3_500) }]);
    const { seats } = app.get(EventFeed) as unknown as { seats: Set<unknown> };
    let count = 0;
    await eventually(
      async () => {
        for (let n = 0; n < 20; n++, count++) await signals.send('callsheet:happened', text);
        return seats.size === 1;
      },
      { interval: 5 },
    );
    slow.resume();
    expect(await isCut).toBe(true);
    await peer.has('actor', count);
    expect(peer.of('hello')).toHaveLength(1);
  });

  it('end when the process stops, which waits for nobody', async () => {
    const { app, url } = await staged();
    const [peer, slow] = [await follow(url), await opened(url)];
    const closed = once(slow.resume(), 'close');
    const closing = app.close();
    await eventually(() => !peer.isOpen);
    expect(await closed).toBeDefined();
    await closing;
  });

  it('are heard once where at first only some of them could be listened to', async () => {
    const app = await stageForTest();
    const [activity, happenings] = [app.get(Activity), app.get(Happenings)];
    const listens = [
      vi.spyOn(activity, 'listen'),
      vi.spyOn(happenings, 'listen').mockRejectedValueOnce(new StoreError('away')),
    ];
    const settings = Object.assign(new EventSettings(), { tick: 5 });
    const series = new ActivitySeries(settings, app.get(CLOCK));
    const add = vi.spyOn(series, 'add');
    const parts = [
      series,
      app.get(QueueCounts),
      settings,
      app.get(ENGINE),
      app.get(CLOCK),
    ] as const;
    const feed = new EventFeed(activity, happenings, ...parts);
    onTestFinished(() => feed.onModuleDestroy());
    await feed.onApplicationBootstrap();
    await eventually(() => listens.every(({ mock }) => mock.calls.length === 2));
    await Promise.all(listens.map(({ mock }) => mock.results[1]?.value as Promise<unknown>));
    const told = { actor: 'greeter', done: 1, failed: 0, dead: 0, sent: 0, latencies: [] };
    const later = { ...told, actor: 'vault' };
    for (const each of [told, later]) {
      await app.get(Signals).send('callsheet:activity', JSON.stringify([each]));
    }
    await eventually(() => add.mock.calls.some(([{ actor }]) => actor === 'vault'));
    expect(add.mock.calls.filter(([{ actor }]) => actor === 'greeter')).toHaveLength(1);
  });

  it('leave out what cannot be one', async () => {
    const { app, url } = await staged();
    const peer = await follow(url, '?kinds=actor,key');
    const signals = app.get(Signals);
    const odd = [{ kind: 'actor' }, { kind: 'news', at: 1 }, { kind: '__proto__', at: 1 }, 7, null];
    const at = Date.now();
    const texts = ['', '{', '7', JSON.stringify(odd), JSON.stringify([{ kind: 'key', at: 9e99 }])];
    for (const text of texts) await signals.send('callsheet:happened', text);
    const twisted = [{ actor: 'greeter' }, { actor: 'greeter', done: 'x' }, null];
    await signals.send('callsheet:activity', JSON.stringify(twisted));
    const good = {
      kind: 'actor',
      at,
      what: 'resumed',
      actor: 'greeter',
      more: 'of another release',
    };
    await signals.send('callsheet:happened', JSON.stringify([good]));
    await peer.has('actor');
    expect(peer.told.slice(1)).toEqual([
      {
        ...{ type: 'actor', id: '' },
        data: { at: new Date(at).toISOString(), what: 'resumed', actor: 'greeter' },
      },
    ]);
  });
});

describe('the activity of the last hour', () => {
  it('is a series of throughput, latency and failures', async () => {
    const { app } = await staged();
    Object.assign(app.get(EventSettings), { step: 100 });
    const before = Date.now();
    for (const name of ['Ada', 'nobody']) {
      await send(app, { type: 'greeter.greet', data: { name } });
    }
    const read = async (query = '') =>
      (await app.inject({ url: `/v1/activity${query}` })).json<ActivityView>();
    const sum = (values: number[]) => values.reduce((total, each) => total + each, 0);
    const { found: view } = await eventually(async () => {
      const found = await read('?minutes=1');
      expect(sum(found.total.dead)).toBe(1);
      return { found };
    });
    const greeter = view.actors.find(({ actor }) => actor === 'greeter')!;
    expect(view).toMatchObject({ step: 0.1, steps: view.total.sent.length });
    expect(Date.parse(view.from)).toBeLessThanOrEqual(before);
    expect(Date.parse(view.since)).toBeLessThanOrEqual(before);
    expect(sum(greeter.throughput) * view.step).toBeCloseTo(1);
    expect([sum(greeter.sent), sum(greeter.failed), sum(greeter.dead)]).toEqual([2, 1, 1]);
    expect(greeter.p95.filter((value) => value !== null)).toHaveLength(1);
    for (const { actor: _, ...columns } of view.actors) {
      for (const column of Object.values(columns)) expect(column).toHaveLength(view.steps);
    }
    const { actors } = await read('?actor=shelf');
    expect(actors).toEqual([]);
  });

  it.each([
    ['?minutes=0', 'minutes'],
    ['?minutes=61', 'minutes'],
    ['?minutes=1.5', 'minutes'],
    ['?actor=nobody', 'actor'],
    ['?from=1', 'from'],
  ])('is refused for %s', async (query, path) => {
    const app = await stageForTest();
    expect((await app.inject({ url: `/v1/activity${query}` })).json()).toMatchObject({
      ...{ status: 422, code: 'invalid_query', errors: [{ path }] },
    });
  });
});

/** A connection on which the events come, and that is not read any further. */
async function opened(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /v1/events?kinds=actor HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket.pause();
}
