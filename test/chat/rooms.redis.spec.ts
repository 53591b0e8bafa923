import { Signals } from '@callsheet/messaging';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { serverSuite } from '../support/available.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import { SsePeer, WsPeer, type RoomPeer } from '../support/room.peer.js';
import { Stage } from './stage.js';

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

serverSuite('redis-server', 'rooms in two processes', () => {
  let server: RedisServer;
  let stages: [Stage, Stage];
  beforeAll(async () => {
    server = await startRedis();
    const open = (): Promise<Stage> => Stage.open({ url: server.url });
    stages = [await open(), await open()];
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stages.map(({ app }) => app.close()));
    await server.stop();
  }, 60_000);

  const events = ({ url }: Stage, room: string, query = '') =>
    new SsePeer(`${url}/v1/rooms/${room}/events${query}`);
  const socket = ({ url }: Stage, room: string, query = '') =>
    new WsPeer(`${url}/v1/rooms/${room}/socket${query}`);

  /** Says things in both processes at the same time. */
  async function say(room: string, count: number): Promise<void> {
    const body = (text: string) => ({ body: { author: 'ada', text } });
    const path = `/v1/rooms/${room}/messages`;
    const all = numbers(1, count).map((n) => stages[n % 2]!.request(path, body(`${n}`)));
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 200));
  }

  it('tell all the same, in the same order', async () => {
    const peers: RoomPeer[] = stages.flatMap((stage) => [
      events(stage, 'same'),
      socket(stage, 'same'),
    ]);
    await Promise.all(peers.map((peer) => peer.seated()));
    await say('same', 20);
    await Promise.all(peers.map((peer) => peer.has(20)));
    for (const peer of peers) {
      expect(peer.seqs).toEqual(numbers(1, 20));
      expect(peer.texts).toEqual(peers[0]?.texts);
    }
  }, 60_000);

  it('go on with a client that comes from the other, while more is said', async () => {
    const [one, two] = stages;
    const talk = say('moves', 30);
    const seen: number[] = [];
    // A client that never stays long.
    for (let turn = 0; seen.length < 30 && turn < 200; turn++) {
      const query = `?after=${seen.at(-1) ?? 0}`;
      const peer = turn % 2 === 0 ? events(one, 'moves', query) : socket(two, 'moves', query);
      await peer.has(1);
      peer.close();
      seen.push(...peer.seqs);
    }
    await talk;
    expect(seen).toEqual(numbers(1, 30));
  }, 60_000);

  it('know who is in the other, until it stops', async () => {
    const [one] = stages;
    const two = await Stage.forTest({ url: server.url });
    const peer = await events(one, 'there').seated();
    const ada = await socket(two, 'there', '?user=ada').seated();
    await events(one, 'there', '?user=grace').seated();
    const members = (): unknown => peer.of('members').at(-1)?.['members'];
    await eventually(() => expect(members()).toEqual(['ada', 'grace']));
    await two.app.close();
    await eventually(() => expect(members()).toEqual(['grace']));
    expect(ada.of('room')).toHaveLength(1);
  }, 60_000);

  it('miss nothing of the other when signals are lost', async () => {
    const [one, two] = stages;
    const quick = await Stage.forTest({ url: server.url, poll: 50 });
    vi.spyOn(quick.app.get(Signals), 'listen').mockResolvedValue(async () => undefined);
    const peers = [await events(quick, 'lost').seated(), await socket(one, 'lost').seated()];
    await say('lost', 10);
    await Promise.all(peers.map((peer) => peer.has(10)));
    expect(peers.map(({ seqs }) => seqs)).toEqual([numbers(1, 10), numbers(1, 10)]);
    expect(await two.request('/v1/rooms/lost?after=9')).toMatchObject({ body: { seq: 10 } });
  }, 60_000);
});
