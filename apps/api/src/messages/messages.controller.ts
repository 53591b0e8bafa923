import {
  Actors,
  CallsheetError,
  encode,
  IdempotencyConflictError,
  MessageActiveError,
  MessageRegistry,
  OptionError,
  type MessageRecord,
  type TellOptions,
} from '@callsheet/messaging';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConsumes,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { knownActors, requireActorIn } from '../actors/known.actor.js';
import { Asker, type Principal } from '../access/principal.js';
import { ApiOnce } from '../idempotency.key.js';
import { ApiCursor, ApiLimit, badCursor, DEFAULT_LIMIT } from '../page.js';
import { ProblemError } from '../problem.js';
import { ElementError } from '../problem.translation.js';
import { askTimeout } from './ask.timeout.js';
import { MessageFinder } from './message.finder.js';
import {
  cursorAt,
  cursorBehind,
  foundPlaceAt,
  messageList,
  messageQuery,
  placeAt,
  type MessageList,
  type MessageQuery,
} from './message.list.js';
import { MessageLister } from './message.lister.js';
import { MessageSearcher, type Search } from './message.searcher.js';
import { messageView, toMessageView, type MessageView } from './message.view.js';
import { SendableMessages } from './sendable.messages.js';
import {
  answer,
  asking,
  batch,
  cancelled,
  receipt,
  receipts,
  sendOptionsOf,
  telling,
  tellOptionsOf,
  toStored,
  type Answer,
  type Asking,
  type Batch,
  type Cancelled,
  type Receipts,
  type StoredReceipt,
  type Telling,
} from './telling.js';

/** Sends messages and shows them. */
@ApiTags('messages')
@Controller('v1')
export class MessagesController {
  constructor(
    private readonly actors: Actors,
    private readonly sendable: SendableMessages,
    private readonly finder: MessageFinder,
    private readonly lister: MessageLister,
    private readonly searcher: MessageSearcher,
    private readonly registry: MessageRegistry,
  ) {}

  @Post('messages')
  @HttpCode(202)
  @ApiOperation({ operationId: 'sendMessage', summary: 'Send a message' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body',
  })
  @ApiAcceptedResponse({
    description: 'stored',
    standardSchema: receipt,
    headers: { Location: { description: 'the message', schema: { type: 'string' } } },
  })
  async send(
    @Body({ schema: telling }) body: Telling,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredReceipt> {
    const message = this.sendable.create(body.type, body.data, body.version);
    const options = tellOptionsOf(body, by, key);
    await this.requireFree(options, by);
    const stored = await this.actors.tell(message, options);
    void reply.header('location', `/v1/messages/${encodeURIComponent(stored.id)}`);
    return toStored(stored);
  }

  @Post('messages::ask')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'askMessage',
    summary: 'Send a message and wait for the reply; 504 when none came in time, 422 when it died',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body; asking again with it waits for the same reply',
  })
  @ApiOkResponse({ description: 'handled', standardSchema: answer })
  async ask(
    @Body({ schema: asking }) { timeout, ...body }: Asking,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Answer> {
    const message = this.sendable.create(body.type, body.data, body.version);
    const options = sendOptionsOf(body, by, key);
    // Known beforehand, so that an answer that is lost can be asked for again.
    const id = options.id ?? randomUUID();
    const reply = await this.actors.ask(message, { ...options, id, timeout: askTimeout(timeout) });
    return { id, ...(reply !== undefined && { reply: encode(reply).data }) };
  }

  @Delete('messages/:id')
  @HttpCode(202)
  @ApiOperation({ operationId: 'cancelMessage', summary: 'Cancel a message that has not ended' })
  @ApiAcceptedResponse({
    description: 'it will not start, or is told to stop',
    standardSchema: cancelled,
  })
  async cancel(@Param('id') id: string, @Asker() by: Principal): Promise<Cancelled> {
    return { id, state: await this.finder.cancel(id, by) };
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Post('messages::batch')
  @HttpCode(202)
  @ApiConsumes('application/json', 'application/x-ndjson')
  @ApiOperation({
    operationId: 'sendMessages',
    summary:
      'Send up to 1,000 messages, all or none; as application/x-ndjson the body is a message per line',
  })
  @ApiOnce(
    'each message without an id gets this, a slash and its number from 0; 1 to 190 characters',
  )
  @ApiAcceptedResponse({ description: 'all stored', standardSchema: receipts })
  async sendBatch(
    @Body({ schema: batch }) { messages }: Batch,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Receipts> {
    const own = batchKey(key);
    const tellings = messages.map((body, index) => {
      try {
        const message = this.sendable.create(body.type, body.data, body.version);
        const id = body.id ?? (own === undefined ? undefined : `${own}/${index}`);
        const options = { ...body, ...(id !== undefined && { id }) };
        return { message, options: tellOptionsOf(options, by) };
      } catch (error) {
        throw error instanceof CallsheetError
          ? new ElementError(`messages/${index}/`, error)
          : error;
      }
    });
    if (by.tenant !== undefined && tellings.some(({ options }) => options.replace)) {
      throw new ProblemError('forbidden', 'keys of a tenant replace one message at a time');
    }
    try {
      return { messages: (await this.actors.tellMany(tellings)).map(toStored) };
    } catch (error) {
      if (!(error instanceof IdempotencyConflictError || error instanceof MessageActiveError)) {
        throw error;
      }
      const index = tellings.findLastIndex(({ options }) => options.id === error.id);
      throw new ElementError(`messages/${index}/`, error);
    }
  }

  @Get('messages')
  @ApiOperation({
    operationId: 'listMessages',
    summary:
      'Messages of an actor by state: those that have not ended in the order in which they will start, those that ended newest first; with q, and for keys of one tenant, in any queue, those sent last first',
  })
  @ApiQuery({
    name: 'actor',
    required: false,
    description: 'must be given without q, but by keys of one tenant',
    schema: { type: 'string' },
  })
  @ApiQuery({
    name: 'q',
    required: false,
    description:
      '`data.<field>:<value>`: messages with that value, or with a list that has it, in a field that their type declares in `search`',
    schema: { type: 'string', maxLength: 1100 },
    example: 'data.orderId:42',
  })
  @ApiQuery({
    name: 'state',
    required: false,
    description:
      'default: all, in the order active, waiting, parked, delayed, dead, done, cancelled',
    schema: { type: 'string', enum: messageView.shape.state.options },
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description:
      'with it or a type a call looks at 1,000 messages: items may be few, even none, and next there',
    schema: { type: 'string', maxLength: 200 },
  })
  @ApiQuery({ name: 'type', required: false, schema: { type: 'string', maxLength: 127 } })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({
    description: 'a page; what moves meanwhile may be missing, or there twice',
    standardSchema: messageList,
  })
  async list(
    @Query({ schema: messageQuery })
    { limit = DEFAULT_LIMIT, cursor, actor, q, ...filter }: MessageQuery,
    @Asker() by: Principal,
  ): Promise<MessageList> {
    const { tenant } = by;
    const actors = knownActors(this.registry);
    requireActorIn(this.registry, { actor }, by);
    if (actor === undefined || q !== undefined || tenant !== undefined) {
      const search = { ...filter, q, tenant, actors: actor === undefined ? actors : [actor] };
      return this.found(search, limit, cursor);
    }
    const from = cursor === undefined ? undefined : placeAt(cursor);
    const isBad = cursor !== undefined && !from;
    const page = isBad ? undefined : await this.lister.page({ ...filter, actor }, limit, from);
    if (!page) throw badCursor();
    return {
      items: page.items.map((record) => this.view(record)),
      next: page.next && cursorAt(page.next),
    };
  }

  @Get('messages/:id')
  @ApiOperation({ operationId: 'getMessage', summary: 'A message: state, attempts, timings' })
  @ApiOkResponse({ description: 'the message', standardSchema: messageView })
  async get(@Param('id') id: string, @Asker() by: Principal): Promise<MessageView> {
    return this.view(await this.finder.get(id, by), by.tenant);
  }

  private async found(search: Search, limit: number, cursor?: string): Promise<MessageList> {
    const from = cursor === undefined ? undefined : foundPlaceAt(cursor);
    if (cursor !== undefined && !from) throw badCursor();
    const { items, next } = await this.searcher.page(search, limit, from);
    return {
      items: items.map((record) => this.view(record, search.tenant)),
      next: next && cursorBehind(next),
    };
  }

  private view(record: MessageRecord, tenant?: string): MessageView {
    const { type, data } = record.envelope;
    return toMessageView(record, this.sendable.shown(type, data), tenant);
  }

  /** @throws ProblemError idempotency_conflict when it would take the place of what is another tenant's */
  private async requireFree({ id, replace }: TellOptions, by: Principal): Promise<void> {
    if (!replace || id === undefined || (await this.finder.isFree(id, by))) return;
    throw new ProblemError('idempotency_conflict', `the id '${id}' was used for another message`);
  }
}

/** What the ids of the messages of a batch begin with. @throws OptionError */
function batchKey(header: string | undefined): string | undefined {
  if (header === undefined || (header.length >= 1 && header.length <= 190)) return header;
  throw new OptionError('Idempotency-Key', 'must be a string of 1 to 190 characters for a batch');
}
