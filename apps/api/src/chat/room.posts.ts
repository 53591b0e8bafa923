import { PostChat } from '@callsheet/contracts';
import { Actors } from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { idOf } from '../messages/telling.js';
import type { Posted, Posting } from './room.view.js';

/** How long a message may take until it has its number, ms. */
const TIMEOUT = 10_000;

/** Says things in rooms. */
@Injectable()
export class RoomPosts {
  constructor(private readonly actors: Actors) {}

  /**
   * Resolves when it has its number in the room. With the same id again it is the same message.
   *
   * @param key value of the header Idempotency-Key
   * @throws whatever {@link Actors.ask} throws
   */
  async post(room: string, { id: own, author, text }: Posting, key?: string): Promise<Posted> {
    const id = idOf(own, key) ?? randomUUID();
    const message = new PostChat({ room, author, text });
    const { seq, at } = await this.actors.ask(message, { id, timeout: TIMEOUT });
    return { id, room, seq, at };
  }
}
