import { ENGINE, MessageRegistry, type Engine } from '@callsheet/messaging';
import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import { MessageFinder } from '../messages/message.finder.js';
import { messageView, toMessageView, type MessageView } from '../messages/message.view.js';
import { ProblemError } from '../problem.js';
import { cursorAfter, placeOf } from './dead.letter.cursor.js';
import {
  deadLetterList,
  deadLetterQuery,
  redriven,
  type DeadLetterList,
  type DeadLetterQuery,
  type Redriven,
} from './dead.letter.list.js';

const DEFAULT_LIMIT = 20;

/** Shows dead letters and puts them back into their queues. */
@ApiTags('dead letters')
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly finder: MessageFinder,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listDeadLetters', summary: 'Dead letters, newest first' })
  @ApiQuery({ name: 'actor', required: false, schema: { type: 'string' } })
  @ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 100, default: DEFAULT_LIMIT },
  })
  @ApiQuery({ name: 'cursor', required: false, schema: { type: 'string' } })
  @ApiOkResponse({ description: 'a page', standardSchema: deadLetterList })
  async list(
    @Query({ schema: deadLetterQuery }) { actor, limit = DEFAULT_LIMIT, cursor }: DeadLetterQuery,
  ): Promise<DeadLetterList> {
    const actors = this.registry.actors();
    if (actor !== undefined && !actors.includes(actor)) {
      throw badQuery('actor', 'is not a known actor; see /v1/actors');
    }
    const after = cursor === undefined ? undefined : placeOf(cursor);
    if (cursor !== undefined && !after) {
      throw badQuery('cursor', 'is not a cursor; take it from `next` of the page before');
    }
    // One more than asked for tells whether there is a next page.
    const found = await this.engine.deadLetters(actor ? [actor] : actors, {
      limit: limit + 1,
      ...(after && { after }),
    });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1) : undefined;
    return { items: records.map(toMessageView), next: last && cursorAfter(last) };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getDeadLetter', summary: 'A dead letter' })
  @ApiOkResponse({ description: 'the message', standardSchema: messageView })
  async get(@Param('id') id: string): Promise<MessageView> {
    return toMessageView(await this.finder.getDead(id));
  }

  @Post(':id/redrive')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'redriveDeadLetter',
    summary: 'Put a dead letter back into its queue, with all attempts available again',
  })
  @ApiAcceptedResponse({ description: 'waiting again', standardSchema: redriven })
  async redrive(@Param('id') id: string): Promise<Redriven> {
    await this.finder.redrive(id);
    return { id, state: 'waiting' };
  }
}

function badQuery(path: string, message: string): ProblemError {
  return new ProblemError('invalid_query', `${path} ${message}`, { errors: [{ path, message }] });
}
