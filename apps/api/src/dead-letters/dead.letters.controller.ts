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
import { cursorAfter, offsetOf, placeOf, type ReadDeadLetters } from './dead.letter.cursor.js';
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
    const read: ReadDeadLetters = (page) => this.engine.deadLetters(actor ? [actor] : actors, page);
    const offset = cursor === undefined ? 0 : await this.offset(cursor, read);
    const [records, more] = split(await read({ offset, limit: limit + 1 }), limit);
    const last = records.at(-1);
    return {
      items: records.map(toMessageView),
      next: more && last ? cursorAfter(offset + records.length, last) : undefined,
    };
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

  private async offset(cursor: string, read: ReadDeadLetters): Promise<number> {
    const place = placeOf(cursor);
    if (!place) throw badQuery('cursor', 'is not a cursor; take it from `next` of the page before');
    return offsetOf(place, read);
  }
}

function split<T>(items: readonly T[], limit: number): [T[], more: boolean] {
  return [items.slice(0, limit), items.length > limit];
}

function badQuery(path: string, message: string): ProblemError {
  return new ProblemError('invalid_query', `${path} ${message}`, { errors: [{ path, message }] });
}
