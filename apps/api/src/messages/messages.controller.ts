import {
  Actors,
  CallsheetError,
  IdempotencyConflictError,
  MessageRegistry,
  OptionError,
  type Receipt,
} from '@callsheet/messaging';
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ElementError } from '../problem.translation.js';
import { MessageFinder } from './message.finder.js';
import { messageView, toMessageView, type MessageView } from './message.view.js';
import {
  batch,
  receipt,
  receipts,
  telling,
  tellOptionsOf,
  type Batch,
  type Receipts,
  type Telling,
} from './telling.js';

/** Sends messages and shows them. */
@ApiTags('messages')
@Controller('v1')
export class MessagesController {
  constructor(
    private readonly actors: Actors,
    private readonly registry: MessageRegistry,
    private readonly finder: MessageFinder,
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
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Receipt> {
    const message = this.registry.create(body.type, body.data);
    const stored = await this.actors.tell(message, tellOptionsOf(body, key));
    void reply.header('location', `/v1/messages/${encodeURIComponent(stored.id)}`);
    return stored;
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Post('messages::batch')
  @HttpCode(202)
  @ApiOperation({ operationId: 'sendMessages', summary: 'Send up to 1,000 messages, all or none' })
  @ApiAcceptedResponse({ description: 'all stored', standardSchema: receipts })
  async sendBatch(
    @Body({ schema: batch }) { messages }: Batch,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<Receipts> {
    if (key !== undefined) {
      throw new OptionError(
        'Idempotency-Key',
        'is for one message; give those of a batch an id each',
      );
    }
    const tellings = messages.map((body, index) => {
      try {
        const message = this.registry.create(body.type, body.data);
        return { message, options: tellOptionsOf(body) };
      } catch (error) {
        throw error instanceof CallsheetError ? new ElementError(index, error) : error;
      }
    });
    try {
      return { messages: await this.actors.tellMany(tellings) };
    } catch (error) {
      if (!(error instanceof IdempotencyConflictError)) throw error;
      throw new ElementError(
        messages.findLastIndex(({ id }) => id === error.id),
        error,
      );
    }
  }

  @Get('messages/:id')
  @ApiOperation({ operationId: 'getMessage', summary: 'A message: state, attempts, timings' })
  @ApiOkResponse({ description: 'the message', standardSchema: messageView })
  async get(@Param('id') id: string): Promise<MessageView> {
    return toMessageView(await this.finder.get(id));
  }
}
