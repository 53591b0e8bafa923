import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { RoomPosts } from '../../apps/api/src/chat/room.posts.js';
import { RoomSettings } from '../../apps/api/src/chat/room.settings.js';
import { eventually } from '../support/eventually.js';
import { SsePeer, WsPeer } from '../support/room.peer.js';
import { Stage } from './stage.js';

const SOCKET = '/v1/rooms/lobby/socket';

/** Opens a socket and waits until it is in the room. */
async function opened(stage: Stage, query = ''): Promise<WsPeer> {
  const peer = new WsPeer(`${stage.url}${SOCKET}${query}`);
  await peer.seated();
  return peer;
}

describe('a WebSocket of a room', { timeout: 20_000 }, () => {
  it('says things there, and hears what all say, in one order', async () => {
    const stage = await Stage.forTest();
    const [ada, grace] = [await opened(stage, '?user=ada'), await opened(stage, '?user=grace')];
    const events = await new SsePeer(`${stage.url}/v1/rooms/lobby/events`).seated();
    for (let n = 0; n < 5; n++) {
      ada.say({ type: 'post', text: `ada ${n}` });
      grace.say({ type: 'post', text: `grace ${n}` });
    }
    await stage.say('over HTTP');
    const peers = [ada, grace, events];
    await Promise.all(peers.map((peer) => peer.has(11)));
    for (const peer of peers) {
      expect(peer.seqs).toEqual(Array.from({ length: 11 }, (_, n) => n + 1));
      expect(peer.texts).toEqual(events.texts);
    }
    const said = ada.of('message').filter(({ author }) => author === 'grace');
    expect(said.map((each) => each['text'])).toEqual([0, 1, 2, 3, 4].map((n) => `grace ${n}`));
    await eventually(() => grace.of('posted').length === 5);
    const numbers = grace.of('posted').map(({ seq }) => seq);
    expect(numbers).toEqual(said.map(({ seq }) => seq));
  });

  it('goes on behind a message', async () => {
    const stage = await Stage.forTest();
    await stage.say('1', '2', '3');
    const peer = await opened(stage, '?after=1');
    await stage.say('4');
    expect((await peer.has(3)).seqs).toEqual([2, 3, 4]);
    expect(peer.told[0]).toEqual({
      type: 'room',
      data: { room: 'lobby', seq: 1, members: [] },
    });
  });

  it('says once what is said again with its id', async () => {
    const stage = await Stage.forTest();
    const peer = await opened(stage, '?user=ada');
    const said = { type: 'post', text: 'Hello', id: 'hello' };
    peer.say(said);
    peer.say(said);
    peer.say({ ...said, text: 'Other' });
    await eventually(() => peer.of('problem').length === 1);
    const at = expect.any(String) as string;
    const posted = { id: 'hello', room: 'lobby', seq: 1, at };
    expect(peer.of('posted')).toEqual([posted, posted]);
    expect(peer.of('problem')).toMatchObject([
      { id: 'hello', problem: { code: 'idempotency_conflict' } },
    ]);
    expect((await peer.has(1)).seqs).toEqual([1]);
  });

  it('tells what is wrong with what is said, and goes on', async () => {
    const stage = await Stage.forTest();
    const peer = await opened(stage, '?user=ada');
    const table: [unknown, string, string?][] = [
      ['{', 'malformed_json'],
      [[], 'invalid_body', ''],
      [{ type: 'post', text: '' }, 'invalid_body', 'text'],
      [{ type: 'shout', text: 'a' }, 'invalid_body', 'type'],
      [{ type: 'post', text: 'a', author: 'grace' }, 'invalid_body', 'author'],
      [{ type: 'post', text: '\0' }, 'invalid_message', 'data/text'],
      [{ type: 'post', text: 'a', id: 'due:x' }, 'invalid_option', 'id'],
    ];
    for (const [what] of table) peer.say(what);
    peer.socket.send(Buffer.from('{"type":"post","text":"a"}'), { binary: true });
    peer.say({ type: 'post', text: 'good' });
    expect((await peer.has(1)).texts).toEqual(['good']);
    const problems = peer.of('problem').map((each) => each['problem'] as Problem);
    const expected = [...table, ['binary', 'malformed_json']] as typeof table;
    expect(problems.map(({ code, errors }) => [code, errors?.[0]?.path])).toEqual(
      expected.map(([, code, path]) => [code, path]),
    );
    const listener = await opened(stage);
    listener.say({ type: 'post', text: 'a' });
    await eventually(() => listener.of('problem').length === 1);
    expect(listener.of('problem')).toMatchObject([{ problem: { code: 'invalid_query' } }]);
  });

  it('ends for who says too much at once', async () => {
    const stage = await Stage.forTest();
    const [long, many] = [await opened(stage, '?user=ada'), await opened(stage, '?user=ada')];
    long.say({ type: 'post', text: 'x'.repeat(20_000) });
    await eventually(() => long.ended?.code === 1009);
    vi.spyOn(stage.app.get(RoomPosts), 'post').mockReturnValue(new Promise(() => undefined));
    for (let n = 0; n < 17; n++) many.say({ type: 'post', text: `${n}` });
    await eventually(() => many.ended?.code === 1008);
    expect(many.ended?.reason).toBe('more than 16 messages wait for their numbers');
  });

  it('shows who is there as long as it lasts', async () => {
    const stage = await Stage.forTest();
    const peer = await opened(stage);
    const ada = await opened(stage, '?user=ada');
    await eventually(() => peer.of('members').length === 1);
    ada.socket.terminate();
    await eventually(() => peer.of('members').length === 2);
    expect(peer.of('members')).toEqual([{ members: ['ada'] }, { members: [] }]);
  });

  it('that does not answer is found out', async () => {
    const stage = await Stage.forTest({ poll: 20 });
    stage.app.get(RoomSettings).beat = 40;
    const deaf = new WsPeer(stage.url + SOCKET, { autoPong: false });
    await deaf.seated();
    await eventually(() => deaf.ended !== undefined);
    expect(deaf.ended?.code).toBe(1006);
  });

  it('is closed when the process stops, which waits for nobody', async () => {
    const stage = await Stage.forTest();
    const [peer, deaf] = [await opened(stage), await opened(stage, '?user=ada')];
    deaf.socket.pause();
    await stage.app.close();
    await eventually(() => peer.ended !== undefined);
    expect(peer.ended).toEqual({ code: 1001, reason: 'the service is stopping' });
    deaf.socket.resume();
    await eventually(() => deaf.ended !== undefined);
  });
});

describe('the door of a WebSocket', { timeout: 20_000 }, () => {
  async function refusal(stage: Stage, options = {}, path = SOCKET): Promise<number | undefined> {
    const peer = new WsPeer(stage.url + path, options);
    await eventually(() => (peer.refused ?? peer.of('room').length) > 0);
    return peer.refused;
  }

  it('has the access rules of all others', async () => {
    const apiKey = 'k'.repeat(32);
    const stage = await Stage.forTest({ apiKey });
    const authorization = `Bearer ${apiKey}`;
    expect(await refusal(stage)).toBe(401);
    expect(await refusal(stage, { headers: { authorization } })).toBeUndefined();
    const headers = { authorization, origin: 'https://evil.example' };
    expect(await refusal(stage, { headers })).toBe(403);
  });

  it('is closed to pages of other sites, and to other names of this machine', async () => {
    const stage = await Stage.forTest();
    expect(await refusal(stage, { origin: stage.url })).toBeUndefined();
    expect(await refusal(stage, { origin: 'https://evil.example' })).toBe(403);
    expect(await refusal(stage, { origin: 'null' })).toBe(403);
    expect(await refusal(stage, { headers: { 'sec-fetch-site': 'cross-site' } })).toBe(403);
    expect(await refusal(stage, { headers: { host: 'evil.example' } })).toBe(421);
  });

  it('refuses what is wrong before it opens', async () => {
    const stage = await Stage.forTest();
    expect(await refusal(stage, {}, `${SOCKET}?after=x`)).toBe(422);
    expect(await refusal(stage, {}, '/v1/rooms/.x/socket')).toBe(404);
    expect(await refusal(stage, {}, '/v1/nowhere')).toBe(404);
    expect(await refusal(stage, {}, '/v1/actors')).toBe(200);
    const response = await fetch(stage.url + SOCKET);
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
  });

  it('answers who offers another protocol in this one, body and all', async () => {
    const stage = await Stage.forTest();
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const answer = async () => String((await once(socket, 'data'))[0]).split('\r\n', 1)[0];
    const body = JSON.stringify({ author: 'ada', text: 'Hello' });
    const offer = `Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk`;
    const first = answer();
    socket.write(
      `POST /v1/rooms/lobby/messages HTTP/1.1\r\n${offer}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    );
    socket.write(body.slice(5));
    expect(await first).toBe('HTTP/1.1 200 OK');
    // Another one on the same connection.
    const second = answer();
    socket.write(`GET ${SOCKET} HTTP/1.1\r\n${offer}\r\n\r\n`);
    expect(await second).toBe('HTTP/1.1 426 Upgrade Required');
    socket.destroy();
  });

  it.each([['no handshake', 'GET', 'websocket', 400]])(
    'refuses %s',
    async (_, method, protocol, status) => {
      const stage = await Stage.forTest();
      const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        `${method} ${SOCKET} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
      );
      expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    },
  );
});

interface Problem {
  code: string;
  errors?: { path: string }[];
}
