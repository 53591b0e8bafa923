import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { RoomPosts } from './room.posts.js';
import { RoomSocket } from './room.socket.js';

it('lives as long as its client answers', () => {
  const heard: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    ping: () => heard.push('ping'),
    terminate: () => heard.push('end'),
  });
  const client = new RoomSocket(socket as unknown as WebSocket, 'lobby', 'ada', {} as RoomPosts);
  for (let n = 0; n < 3; n++) {
    client.beat();
    socket.emit('pong');
  }
  client.beat();
  expect(heard).toEqual(['ping', 'ping', 'ping', 'ping']);
  client.beat();
  expect(heard.at(-1)).toBe('end');
});
