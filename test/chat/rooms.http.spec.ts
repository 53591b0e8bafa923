import { Actors, ENGINE, Signals, type Engine } from '@callsheet/messaging';
import { PostChat } from '@callsheet/contracts';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { RoomFeeds } from '../../apps/api/src/chat/room.feeds.js';
import { eventually } from '../support/eventually.js';
import { SsePeer } from '../support/room.peer.js';
import { Stage } from './stage.js';

const MESSAGES = '/v1/rooms/lobby/messages';
const EVENTS = '/v1/rooms/lobby/events';
const said = (text: string) => ({ author: 'ada', text });

describe('a room over HTTP', { timeout: 20_000 }, () => {
  it('answers the number of what is said, and takes it once for one key', async () => {
    const stage = await Stage.forTest();
    const headers = { 'idempotency-key': 'hello' };
    const first = await stage.request(MESSAGES, { body: said('Hello'), headers });
    expect(first).toEqual({
      status: 200,
      body: { id: 'hello', room: 'lobby', seq: 1, at: expect.any(String) as string },
    });
    const again = { body: { ...said('Hello'), id: 'hello' } };
    expect(await stage.request(MESSAGES, again)).toEqual(first);
    expect(await stage.request(MESSAGES, { body: said('Other'), headers })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_conflict' },
    });
    expect(await stage.request(MESSAGES, { body: said('More') })).toMatchObject({
      body: { seq: 2 },
    });
  });

  it('shows the latest, or the first behind a message', async () => {
    const stage = await Stage.forTest();
    expect((await stage.request('/v1/rooms/lobby')).body).toEqual({
      ...{ room: 'lobby', seq: 0, members: [], items: [] },
    });
    await stage.say('1', '2', '3', '4', '5');
    const page = async (query: string) =>
      (await stage.request<{ seq: number; items: { text: string }[] }>(`/v1/rooms/lobby${query}`))
        .body;
    const at = expect.any(String) as string;
    expect(await page('?limit=1')).toMatchObject({
      seq: 5,
      items: [{ seq: 5, author: 'ada', text: '5', at }],
    });
    const texts = async (query: string) => (await page(query)).items.map(({ text }) => text);
    expect(await texts('')).toEqual(['1', '2', '3', '4', '5']);
    expect(await texts('?after=1&limit=2')).toEqual(['2', '3']);
    expect(await texts('?after=4')).toEqual(['5']);
    expect(await texts('?after=9')).toEqual([]);
  });

  it('forgets who followed it, also when others on the same connection come first', async () => {
    const stage = await Stage.forTest();
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
    await once(socket, 'connect');
    for (let n = 0; n < 3; n++) {
      socket.write(`GET ${EVENTS}?user=ghost HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    }
    const members = async () =>
      (await stage.request<{ members: string[] }>('/v1/rooms/lobby')).body.members;
    await eventually(async () => (await members()).includes('ghost'));
    socket.destroy();
    await eventually(async () => !(await members()).includes('ghost'));
    expect(await members()).toEqual([]);
  });

  it('refuses what cannot be said, and names what is wrong', async () => {
    const stage = await Stage.forTest();
    const table: [unknown, string][] = [
      [{ text: 'a' }, 'author'],
      [{ author: 'ada', text: '' }, 'text'],
      [{ author: 'ada', text: 'é'.repeat(2_000) }, 'text'],
      [{ author: 'ada', text: '\0' }, 'data/text'],
      [{ ...said('a'), room: 'x' }, 'room'],
      [{ ...said('a'), id: 'run:x' }, 'id'],
    ];
    for (const [body, path] of table) {
      const answer = await stage.request(MESSAGES, { body });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
    }
  });

  it('refuses what is no room, no number and no id of an event', async () => {
    const stage = await Stage.forTest();
    const table: [string, number, string][] = [
      ['a%2Fb', 404, 'not_found'],
      ['x'.repeat(65), 404, 'not_found'],
      ['.lobby/events', 404, 'not_found'],
      ['lobby?after=-1', 422, 'invalid_query'],
      ['lobby?limit=101', 422, 'invalid_query'],
      ['lobby/events?after=x', 422, 'invalid_query'],
      ['lobby/events?user=', 422, 'invalid_query'],
      ['lobby/events?from=1', 422, 'invalid_query'],
    ];
    for (const [path, status, code] of table) {
      expect(await stage.request(`/v1/rooms/${path}`)).toMatchObject({ status, body: { code } });
    }
    const headers = { 'last-event-id': '1-1' };
    expect(await stage.request(EVENTS, { headers })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'Last-Event-ID' }] },
    });
  });
});

describe('server-sent events of a room', { timeout: 20_000 }, () => {
  it('come in order to all who follow, beginning where they are', async () => {
    const stage = await Stage.forTest();
    await stage.say('before');
    const peers = [1, 2, 3].map(() => new SsePeer(stage.url + EVENTS));
    await Promise.all(peers.map((peer) => peer.seated()));
    await stage.say('one', 'two', 'three');
    for (const peer of peers) {
      expect((await peer.has(3)).texts).toEqual(['one', 'two', 'three']);
      expect(peer.told.map(({ type, id }) => [type, id])).toEqual([
        ['room', '1'],
        ['message', '2'],
        ['message', '3'],
        ['message', '4'],
      ]);
      expect(peer.of('room')).toEqual([{ room: 'lobby', seq: 1, members: [] }]);
      expect(peer.of('message')[0]).toEqual({
        ...{ seq: 2, author: 'ada', text: 'one', at: expect.any(String) as string },
      });
    }
  });

  it('go on behind the last id, and behind after', async () => {
    const stage = await Stage.forTest();
    await stage.say('1', '2', '3', '4');
    const url = stage.url + EVENTS;
    const resumed = new SsePeer(`${url}?after=0`, { 'last-event-id': '2' });
    const all = new SsePeer(`${url}?after=0`);
    await Promise.all([resumed.has(2), all.has(4)]);
    await stage.say('5');
    expect((await resumed.has(3)).seqs).toEqual([3, 4, 5]);
    expect((await all.has(5)).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it('go on by themselves when the connection breaks, without gap or double', async () => {
    const stage = await Stage.forTest();
    const peer = await new SsePeer(stage.url + EVENTS).seated();
    await stage.say('1', '2');
    await peer.has(2);
    stage.app.getHttpServer().closeAllConnections();
    await eventually(() => !peer.isOpen);
    await stage.say('3', '4');
    await peer.has(4);
    await stage.say('5');
    expect((await peer.has(5)).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it('tell what is not kept any more, and of a room that begins anew', async () => {
    const stage = await Stage.forTest();
    const messages = Array.from(
      { length: 503 },
      (_, n) => new PostChat({ room: 'lobby', author: 'ada', text: `${n + 1}` }),
    );
    await stage.app.get(Actors).tellMany(messages);
    await stage.say('last');
    const url = stage.url + EVENTS;
    const peer = await new SsePeer(`${url}?after=0`).has(500);
    expect(peer.told.slice(0, 3).map(({ type, id }) => [type, id])).toEqual([
      ['room', '0'],
      ['gap', '4'],
      ['message', '5'],
    ]);
    expect(peer.of('gap')).toEqual([{ after: 0, next: 5 }]);
    expect(peer.seqs).toEqual(Array.from({ length: 500 }, (_, n) => n + 5));
    const ahead = await new SsePeer(`${url}?after=900`).seated();
    await stage.say('next');
    expect((await ahead.has(1)).seqs).toEqual([505]);
    expect(ahead.of('gap')).toEqual([{ after: 900, next: 505 }]);
  });

  it('tell who is there', async () => {
    const stage = await Stage.forTest();
    const peer = await new SsePeer(stage.url + EVENTS).seated();
    const ada = new SsePeer(`${stage.url}${EVENTS}?user=ada`);
    await eventually(() => peer.of('members').length === 1);
    const grace = new SsePeer(`${stage.url}${EVENTS}?user=grace`);
    const again = await new SsePeer(`${stage.url}${EVENTS}?user=grace`).seated();
    await eventually(() => peer.of('members').length === 2);
    expect((await stage.request('/v1/rooms/lobby')).body['members']).toEqual(['ada', 'grace']);
    again.close();
    ada.close();
    await eventually(() => peer.of('members').length === 3);
    grace.close();
    await eventually(() => peer.of('members').length === 4);
    const members = peer.of('members').map((each) => each['members']);
    expect(members).toEqual([['ada'], ['ada', 'grace'], ['grace'], []]);
  });

  it('make up for signals that are lost', async () => {
    const stage = await Stage.forTest({ poll: 20 });
    const listen = vi.spyOn(stage.app.get(Signals), 'listen');
    listen.mockResolvedValue(async () => undefined);
    const peer = await new SsePeer(stage.url + EVENTS).seated();
    await stage.say('1', '2');
    expect((await peer.has(2)).seqs).toEqual([1, 2]);
    expect(listen).toHaveBeenCalled();
  });

  it('come again when the store was away', async () => {
    const stage = await Stage.forTest({ poll: 20 });
    const state = vi.spyOn(stage.app.get<Engine>(ENGINE), 'state');
    state.mockRejectedValueOnce(new Error('away'));
    const listen = vi.spyOn(stage.app.get<Engine>(ENGINE), 'onSignal');
    listen.mockRejectedValueOnce(new Error('away'));
    const peer = await new SsePeer(stage.url + EVENTS).seated();
    await eventually(() => listen.mock.calls.length === 2);
    await stage.say('1');
    expect((await peer.has(1)).seqs).toEqual([1]);
  });

  it('end when the process stops, which waits for nobody', async () => {
    const stage = await Stage.forTest();
    const peers = [1, 2].map(() => new SsePeer(`${stage.url}${EVENTS}?user=ada`));
    await Promise.all(peers.map((peer) => peer.seated()));
    const start = performance.now();
    await stage.app.close();
    expect(performance.now() - start).toBeLessThan(8_000);
    await eventually(() => peers.every((peer) => !peer.isOpen));
  });

  it('are refused while the process stops', async () => {
    const stage = await Stage.forTest();
    await stage.app.get(RoomFeeds).onModuleDestroy();
    expect(await stage.request(EVENTS)).toMatchObject({
      ...{ status: 503, body: { code: 'not_ready' } },
    });
  });

  it('leave nothing behind when a client goes', async () => {
    const stage = await Stage.forTest();
    const peer = await new SsePeer(stage.url + EVENTS).seated();
    const { feeds } = stage.app.get(RoomFeeds) as unknown as { feeds: Map<string, unknown> };
    expect(feeds.size).toBe(1);
    peer.close();
    await eventually(() => feeds.size === 0);
    const head = request(stage.url + EVENTS, { method: 'HEAD' }).end();
    const [response] = (await once(head, 'response')) as [{ statusCode: number }];
    expect([response.statusCode, feeds.size]).toEqual([200, 0]);
  });

  it('are for those who may', async () => {
    const apiKey = 'k'.repeat(32);
    const stage = await Stage.forTest({ apiKey });
    expect(await stage.request(EVENTS)).toMatchObject({ status: 401 });
    expect(await stage.request(MESSAGES, { body: said('a') })).toMatchObject({ status: 401 });
    const authorization = `Bearer ${apiKey}`;
    const peer = await new SsePeer(stage.url + EVENTS, { authorization }).seated();
    expect(peer.of('room')).toHaveLength(1);
    const { headers } = await fetch(stage.url + EVENTS, {
      method: 'HEAD',
      headers: { authorization },
    });
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('are not for other names of this machine', async () => {
    const stage = await Stage.forTest();
    const got = request(stage.url + EVENTS, { headers: { host: 'evil.example' } }).end();
    const [response] = (await once(got, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(421);
  });
});
