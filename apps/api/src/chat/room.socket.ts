import { Logger } from '@nestjs/common';
import { z } from 'zod';
import type { RawData, WebSocket } from 'ws';
import { unauthorized } from '../access/access.js';
import { ProblemError } from '../problem.js';
import { problemFrom } from '../problem.translation.js';
import { violationsOf } from '../schema.pipe.js';
import type { RoomClient, RoomEvent } from './room.client.js';
import type { RoomPosts } from './room.posts.js';
import { posting } from './room.view.js';

/** How many messages of a client may wait for their numbers. */
const MOST_POSTS = 16;
/** Codes of RFC 6455 and of its registry at IANA. */
const GOING_AWAY = 1001;
const POLICY = 1008;

/** What a client says: its name is that of the connection. */
const utterance = posting.omit({ author: true }).extend({ type: z.literal('post') });

/** A client that follows a room over a WebSocket, and may speak there. */
export class RoomSocket implements RoomClient {
  private readonly logger = new Logger('Chat');
  /** They get their numbers in the order in which they came. */
  private posts = Promise.resolve();
  private waiting = 0;
  private isAlive = true;

  /**
   * @param user in whose name it speaks; undefined: it only listens
   * @param holds whether who opened it may still be there
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly room: string,
    private readonly user: string | undefined,
    private readonly rooms: RoomPosts,
    private readonly holds: () => Promise<boolean>,
  ) {
    socket.on('pong', () => (this.isAlive = true));
    // What is no WebSocket, or too long, ends the connection; it has been told why.
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => this.hear(data, isBinary));
  }

  get pending(): number {
    return this.socket.bufferedAmount;
  }

  /** @param left called once, when the connection is gone */
  onLeft(left: () => void): void {
    this.socket.once('close', left);
  }

  send(event: RoomEvent, taken: () => void): void {
    this.socket.send(JSON.stringify(event), taken);
  }

  beat(): void {
    if (!this.isAlive) return this.terminate();
    this.isAlive = false;
    this.socket.ping();
    void this.holds().then((holds) => holds || this.terminate());
  }

  close(): void {
    this.socket.close(GOING_AWAY, 'the service is stopping');
  }

  terminate(): void {
    this.socket.terminate();
  }

  private hear(data: RawData, isBinary: boolean): void {
    if (this.waiting >= MOST_POSTS) {
      return this.socket.close(POLICY, `more than ${MOST_POSTS} messages wait for their numbers`);
    }
    this.waiting += 1;
    this.posts = this.posts
      .then(() => this.answer(isBinary ? undefined : textOf(data)))
      .finally(() => (this.waiting -= 1));
  }

  /** Never rejects. */
  private async answer(text: string | undefined): Promise<void> {
    let id: string | undefined;
    try {
      const { type: _, ...said } = this.parsed(text);
      ({ id } = said);
      if (this.user === undefined) {
        throw new ProblemError(
          'invalid_query',
          'a connection without user listens: open it with ?user=',
        );
      }
      if (!(await this.holds())) throw unauthorized('the credentials do not hold any more');
      const posted = await this.rooms.post(this.room, { ...said, author: this.user });
      this.reply({ type: 'posted', ...posted });
    } catch (error) {
      const problem = problemFrom(error).toProblem();
      if (problem.code === 'internal') this.logger.error(error);
      this.reply({ type: 'problem', ...(id !== undefined && { id }), problem });
    }
  }

  private parsed(text: string | undefined): z.output<typeof utterance> {
    let value: unknown;
    try {
      value = JSON.parse(text ?? '');
    } catch {
      throw new ProblemError('malformed_json', 'say {"type":"post","text":"..."}, as text');
    }
    const result = utterance.safeParse(value);
    if (result.success) return result.data;
    const errors = violationsOf(result.error.issues);
    throw new ProblemError(
      'invalid_body',
      errors.map(({ path, message }) => `${path}: ${message}`).join('; '),
      { errors },
    );
  }

  private reply(answer: object): void {
    this.socket.send(JSON.stringify(answer), () => undefined);
  }
}

/** A server has each message whole, as one buffer. */
function textOf(data: RawData): string {
  return (data as Buffer).toString();
}
