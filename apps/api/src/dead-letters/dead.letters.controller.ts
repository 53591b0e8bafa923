import { DeadLetters, MessageRegistry, OptionError, type DeadLetter } from '@callsheet/messaging';
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
} from '@nestjs/common';
import { knownActors, requireActorIn, unknownActor } from '../actors/known.actor.js';
import { Asker, type Principal } from '../access/principal.js';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import { ApiOnce } from '../idempotency.key.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import { MessageFinder } from '../messages/message.finder.js';
import { ApiCursor, ApiLimit, badCursor, DEFAULT_LIMIT } from '../page.js';
import { ONCE, Receipts } from '../receipts.js';
import { ref } from '../schema.registry.js';
import { cursorAfter, placeOf } from './dead.letter.cursor.js';
import {
  deadLetterFilter,
  deadLetterGroups,
  deadLetterList,
  deadLetterQuery,
  deadLetterView,
  discarded,
  redrive,
  redriveMany,
  redriven,
  redrivenMany,
  toDeadLetterView,
  type DeadLetterFilterQuery,
  type DeadLetterGroups,
  type DeadLetterList,
  type DeadLetterQuery,
  type DeadLetterView,
  type Discarded,
  type Redrive,
  type RedriveMany,
  type Redriven,
  type RedrivenMany,
} from './dead.letter.list.js';

/** Which dead letters. */
const FILTERS = ['actor', 'type', 'reason', 'fingerprint', 'error', 'before'].map((name) =>
  ApiQuery({
    name,
    required: false,
    schema: { type: 'string', ...(name === 'before' && { format: 'date-time' }) },
  }),
);
const ApiFilters = (): MethodDecorator => (target, key, descriptor) => {
  for (const filter of FILTERS) filter(target, key, descriptor);
};

/** Shows dead letters, puts them back into their queues, drops them. */
@ApiTags('dead letters')
@Controller('v1')
export class DeadLettersController {
  constructor(
    private readonly letters: DeadLetters,
    private readonly registry: MessageRegistry,
    private readonly finder: MessageFinder,
    private readonly receipts: Receipts,
    private readonly sendable: SendableMessages,
  ) {}

  @Get('dead-letters')
  @ApiOperation({ operationId: 'listDeadLetters', summary: 'Dead letters, newest first' })
  @ApiFilters()
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: deadLetterList })
  async list(
    @Query({ schema: deadLetterQuery })
    { limit = DEFAULT_LIMIT, cursor, ...filter }: DeadLetterQuery,
    @Asker() by: Principal,
  ): Promise<DeadLetterList> {
    requireActorIn(this.registry, filter, by);
    const after = cursor === undefined ? undefined : placeOf(cursor);
    if (cursor !== undefined && !after) {
      throw badCursor();
    }
    const { letters, next } = await this.letters.page(
      { ...filter, ...ofTenant(by) },
      { limit, ...(after && { after }) },
    );
    return { items: letters.map((letter) => this.view(letter)), next: next && cursorAfter(next) };
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Get('dead-letters::groups')
  @ApiOperation({
    operationId: 'groupDeadLetters',
    summary:
      'Dead letters by what they died of, the most frequent first; of those it could look at in two seconds or so',
  })
  @ApiFilters()
  @ApiOkResponse({ description: 'the groups', standardSchema: deadLetterGroups })
  async groups(
    @Query({ schema: deadLetterFilter }) filter: DeadLetterFilterQuery,
    @Asker() by: Principal,
  ): Promise<DeadLetterGroups> {
    requireActorIn(this.registry, filter, by);
    const { groups, complete, since } = await this.letters.groupSome({
      ...filter,
      ...ofTenant(by),
    });
    return {
      items: groups.map(({ first, last, ...group }) => ({
        ...group,
        first: new Date(first).toISOString(),
        last: new Date(last).toISOString(),
      })),
      complete,
      ...(since !== undefined && { since: new Date(since).toISOString() }),
    };
  }

  @Get('dead-letters/:id')
  @ApiOperation({ operationId: 'getDeadLetter', summary: 'A dead letter' })
  @ApiOkResponse({ description: 'the message', standardSchema: deadLetterView })
  async get(@Param('id') id: string, @Asker() by: Principal): Promise<DeadLetterView> {
    return this.view(await this.finder.getDead(id, by));
  }

  @Post('dead-letters/:id/redrive')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'redriveDeadLetter',
    summary:
      'Put a dead letter back into its queue, with all attempts available again; with other data, if given',
  })
  @ApiBody({ required: false, schema: ref('Redrive') })
  @ApiOnce(ONCE)
  @ApiAcceptedResponse({ description: 'waiting again', standardSchema: redriven })
  async redrive(
    @Param('id') id: string,
    @Body({ schema: redrive }) body: Redrive,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Redriven> {
    return this.receipts.once(['redriveDeadLetter', id, by.tenant ?? ''], key, body, async () => {
      await this.finder.redrive(id, by, body?.data);
      return { id, state: 'waiting' };
    });
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Post('dead-letters::redrive')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'redriveDeadLetters',
    summary:
      'Put dead letters back into their queues, the oldest of those that match first; those of a key keep their order',
  })
  @ApiBody({ schema: ref('RedriveMany') })
  @ApiOnce(ONCE)
  @ApiOkResponse({ description: 'redriven, or counted', standardSchema: redrivenMany })
  async redriveMany(
    @Body({ schema: redriveMany }) body: RedriveMany,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<RedrivenMany> {
    const { limit, dryRun = false, ...filter } = body;
    if (filter.actor !== undefined && !knownActors(this.registry).includes(filter.actor)) {
      throw new OptionError('actor', unknownActor(this.registry, filter.actor, by));
    }
    return this.receipts.once(['redriveDeadLetters', by.tenant ?? ''], key, body, async () => ({
      state: dryRun ? 'counted' : 'redriven',
      ...(await this.letters.redriveSome({ ...filter, ...ofTenant(by) }, { limit, dryRun })),
    }));
  }

  @Delete('dead-letters/:id')
  @ApiOperation({ operationId: 'discardDeadLetter', summary: 'Remove a dead letter for good' })
  @ApiOkResponse({ description: 'removed', standardSchema: discarded })
  async discard(@Param('id') id: string, @Asker() by: Principal): Promise<Discarded> {
    await this.finder.discard(id, by);
    return { id, state: 'discarded' };
  }

  private view(letter: DeadLetter): DeadLetterView {
    const { type, data } = letter.envelope;
    return toDeadLetterView(letter, this.sendable.shown(type, data));
  }
}

/** Somebody of a tenant sees only what is of it. */
function ofTenant({ tenant }: Principal): { tenant?: string } {
  return tenant === undefined ? {} : { tenant };
}
