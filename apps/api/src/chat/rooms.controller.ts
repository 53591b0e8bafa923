import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EventStream } from '../event.stream.js';
import { ApiLimit, DEFAULT_LIMIT } from '../page.js';
import { ProblemError } from '../problem.js';
import { takeUpgrade } from '../upgrade.js';
import { sentEvent } from './room.client.js';
import { RoomFeeds } from './room.feeds.js';
import { RoomHistory } from './room.history.js';
import { RoomPosts } from './room.posts.js';
import { RoomSockets } from './room.sockets.js';
import {
  followQuery,
  posted,
  posting,
  requireRoom,
  resumeAfter,
  roomEvents,
  roomQuery,
  roomView,
  type FollowQuery,
  type Posted,
  type Posting,
  type RoomQuery,
  type RoomView,
} from './room.view.js';

const ApiRoom = (): MethodDecorator =>
  ApiParam({
    name: 'room',
    description: 'letters, digits, dots, dashes, underscores; one that nobody has used is empty',
    schema: { type: 'string', maxLength: 64 },
  });

const ApiAfter = (description: string): MethodDecorator =>
  ApiQuery({
    name: 'after',
    required: false,
    description,
    schema: { type: 'integer', minimum: 0 },
  });

const AFTER =
  'the number of the last message one has had; 0: all that is kept. Default: only new ones';

const ApiUser = (): MethodDecorator =>
  ApiQuery({
    name: 'user',
    required: false,
    description: 'who is there, for the others to see, as long as the connection lasts',
    schema: { type: 'string', maxLength: 64 },
  });

/** Rooms: what is said in them, who is there, and what is new. */
@ApiTags('rooms')
@Controller('v1/rooms/:room')
export class RoomsController {
  constructor(
    private readonly feeds: RoomFeeds,
    private readonly history: RoomHistory,
    private readonly posts: RoomPosts,
    private readonly sockets: RoomSockets,
  ) {}

  @Post('messages')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'postChat',
    summary:
      'Say something in a room; answers its number there, 504 when that did not come in time',
  })
  @ApiRoom()
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body; what is said again with it is said once',
  })
  @ApiOkResponse({ description: 'said', standardSchema: posted })
  async post(
    @Param('room') room: string,
    @Body({ schema: posting }) body: Posting,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<Posted> {
    requireRoom(room);
    return this.posts.post(room, body, key);
  }

  @Get()
  @ApiOperation({
    operationId: 'getRoom',
    summary: 'Who is in a room, and what was said: the latest, or the first behind a message',
  })
  @ApiRoom()
  @ApiAfter('only messages behind the one with this number, the first of them')
  @ApiLimit()
  @ApiOkResponse({ description: 'the room', standardSchema: roomView })
  async get(
    @Param('room') room: string,
    @Query({ schema: roomQuery }) { after, limit = DEFAULT_LIMIT }: RoomQuery,
  ): Promise<RoomView> {
    requireRoom(room);
    const { seq, members } = await this.history.now(room);
    const from = after ?? Math.max(0, seq - limit);
    const found = from < seq ? await this.history.after(room, from, seq - from) : [];
    return { room, seq, members, items: found.slice(0, limit) };
  }

  @Get('events')
  @ApiOperation({
    operationId: 'followRoom',
    summary: 'What is new in a room, as server-sent events that go on where a client was',
  })
  @ApiRoom()
  @ApiAfter(AFTER)
  @ApiUser()
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'the id of the last event one has had: goes before after',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'a stream that does not end', standardSchema: roomEvents })
  events(
    @Param('room') room: string,
    @Query({ schema: followQuery }) { after, user }: FollowQuery,
    @Headers('last-event-id') last: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    requireRoom(room);
    this.feeds.requireOpen();
    const from = resumeAfter(last, after);
    const stream = EventStream.open(reply, sentEvent);
    // Whoever asks for the headers alone reads nothing.
    if (request.method === 'HEAD') return stream.close();
    stream.onLeft(this.feeds.join(room, stream, { after: from, user }));
  }

  @Get('socket')
  @ApiOperation({
    operationId: 'openRoomSocket',
    summary: 'Follow a room over a WebSocket, and say things there, in the name of user',
  })
  @ApiRoom()
  @ApiAfter(AFTER)
  @ApiUser()
  @ApiResponse({
    status: 101,
    description:
      'the client says {"type":"post","text":"...","id"?} and is told {"type":"posted"} or {"type":"problem"}; what it is told of the room is as in the events',
  })
  socket(
    @Param('room') room: string,
    @Query({ schema: followQuery }) joining: FollowQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    requireRoom(room);
    this.feeds.requireOpen();
    const upgrade = takeUpgrade(request.raw);
    if (!upgrade) {
      throw new ProblemError('upgrade_required', 'open it as a WebSocket', {
        headers: { upgrade: 'websocket', connection: 'Upgrade' },
      });
    }
    reply.hijack();
    this.sockets.open(request, upgrade, room, joining);
  }
}
