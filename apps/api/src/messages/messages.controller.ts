import {
  Actors,
  CallsheetError,
  encode,
  IdempotencyConflictError,
  MessageActiveError,
  OptionError,
  type TellOptions,
} from '@callsheet/messaging';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { Asker, type Principal } from '../access/principal.js';
import { ProblemError } from '../problem.js';
import { ElementError } from '../problem.translation.js';
import { askTimeout } from './ask.timeout.js';
import { MessageFinder } from './message.finder.js';
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
  @ApiOperation({ operationId: 'sendMessages', summary: 'Send up to 1,000 messages, all or none' })
  @ApiAcceptedResponse({ description: 'all stored', standardSchema: receipts })
  async sendBatch(
    @Body({ schema: batch }) { messages }: Batch,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Receipts> {
    if (key !== undefined) {
      throw new OptionError(
        'Idempotency-Key',
        'is for one message; give those of a batch an id each',
      );
    }
    const tellings = messages.map((body, index) => {
      try {
        const message = this.sendable.create(body.type, body.data, body.version);
        return { message, options: tellOptionsOf(body, by) };
      } catch (error) {
        throw error instanceof CallsheetError
          ? new ElementError(`messages/${index}/`, error)
          : error;
      }
    });
    for (const { options } of tellings) await this.requireFree(options, by);
    try {
      return { messages: (await this.actors.tellMany(tellings)).map(toStored) };
    } catch (error) {
      if (!(error instanceof IdempotencyConflictError || error instanceof MessageActiveError)) {
        throw error;
      }
      const index = messages.findLastIndex(({ id }) => id === error.id);
      throw new ElementError(`messages/${index}/`, error);
    }
  }

  @Get('messages/:id')
  @ApiOperation({ operationId: 'getMessage', summary: 'A message: state, attempts, timings' })
  @ApiOkResponse({ description: 'the message', standardSchema: messageView })
  async get(@Param('id') id: string, @Asker() by: Principal): Promise<MessageView> {
    return toMessageView(await this.finder.get(id, by));
  }

  /** @throws ProblemError idempotency_conflict when it would take the place of what is another tenant's */
  private async requireFree({ id, replace }: TellOptions, by: Principal): Promise<void> {
    if (!replace || id === undefined || (await this.finder.isFree(id, by))) return;
    throw new ProblemError('idempotency_conflict', `the id '${id}' was used for another message`);
  }
}
