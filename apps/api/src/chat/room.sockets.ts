import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { admissionOf } from '../access/principal.js';
import type { Upgrade } from '../upgrade.js';
import { RoomFeeds, type Joining } from './room.feeds.js';
import { RoomPosts } from './room.posts.js';
import { RoomSocket } from './room.socket.js';

/** The longest a client may say at once, bytes: the longest text, in escapes, with all that is around it. */
const LONGEST = 16 * 1024;

/** Opens WebSockets of rooms. */
@Injectable()
export class RoomSockets {
  private readonly server = new WebSocketServer({ noServer: true, maxPayload: LONGEST });

  constructor(
    private readonly feeds: RoomFeeds,
    private readonly posts: RoomPosts,
  ) {}

  /** Ends the handshake, or refuses it when it is none, and hands the client what is new in the room. */
  open(request: FastifyRequest, { socket, head }: Upgrade, room: string, joining: Joining): void {
    this.server.handleUpgrade(request.raw, socket, head, (opened) => {
      const client = new RoomSocket(opened, room, joining.user, this.posts, admissionOf(request));
      client.onLeft(this.feeds.join(room, client, joining));
    });
  }
}
