import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { RoomPosts } from './room.posts.js';
import { RoomSocket } from './room.socket.js';

function opened(holds: () => Promise<boolean>) {
  const heard: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    ping: () => heard.push('ping'),
    terminate: () => heard.push('end'),
    send: (text: string) => heard.push(text),
  });
  const args = ['lobby', 'ada', {} as RoomPosts, holds] as const;
  return { heard, socket, client: new RoomSocket(socket as unknown as WebSocket, ...args) };
}

it('lives as long as its client answers', () => {
  const { heard, socket, client } = opened(() => Promise.resolve(true));
  for (let n = 0; n < 3; n++) {
    client.beat();
    socket.emit('pong');
  }
  client.beat();
  expect(heard).toEqual(['ping', 'ping', 'ping', 'ping']);
  client.beat();
  expect(heard.at(-1)).toBe('end');
});

it('ends when its key is revoked, and says nothing any more', async () => {
  const { heard, socket, client } = opened(() => Promise.resolve(false));
  socket.emit('message', Buffer.from('{"type":"post","text":"still here"}'), false);
  await vi.waitFor(() => expect(heard).toEqual([expect.stringContaining('"unauthorized"')]));
  client.beat();
  await vi.waitFor(() => expect(heard.at(-1)).toBe('end'));
});
