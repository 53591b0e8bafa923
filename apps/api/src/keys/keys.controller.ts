import { ENGINE, MessageRegistry, type Engine } from '@callsheet/messaging';
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiTags } from '../openapi.decorators.js';
import { Asker, type Principal } from '../access/principal.js';
import { requireKnownActor } from '../actors/known.actor.js';
import { ApiOnce } from '../idempotency.key.js';
import { ApiCursor, ApiLimit, badCursor, DEFAULT_LIMIT } from '../page.js';
import { ONCE, Receipts } from '../receipts.js';
import { KeyFinder } from './key.finder.js';
import {
  journalPage,
  journalQuery,
  keyList,
  keyQuery,
  keyView,
  MOST_KEYS,
  released,
  toJournalPage,
  toKeyList,
  toKeyView,
  type JournalPage,
  type JournalQuery,
  type KeyList,
  type KeyQuery,
  type KeyView,
  type Released,
} from './key.view.js';

const ApiKeyParam = (): MethodDecorator =>
  ApiParam({
    name: 'key',
    description:
      'percent-encoded; may have any character, but not be . or .., which clients take out of a path',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  });

/** Shows the keys of an actor, what waits for them and what they hold; lets quarantined ones go on. */
@ApiTags('keys')
@Controller('v1/actors/:actor/keys')
export class KeysController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly finder: KeyFinder,
    private readonly receipts: Receipts,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listKeys',
    summary: 'Keys in whose mailboxes messages stand: the longest waiting, or the fullest, first',
  })
  @ApiQuery({
    name: 'by',
    required: false,
    schema: { type: 'string', enum: ['age', 'depth'], default: 'age' },
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({
    description:
      'a page of the first thousand, as they stand now; what moves meanwhile may be missing, or there twice',
    standardSchema: keyList,
  })
  async list(
    @Param('actor') actor: string,
    @Query({ schema: keyQuery }) { by = 'age', limit = DEFAULT_LIMIT, cursor = '0' }: KeyQuery,
  ): Promise<KeyList> {
    requireKnownActor(this.registry, actor);
    const from = /^\d{1,3}$/.test(cursor) ? Number(cursor) : undefined;
    if (from === undefined) throw badCursor();
    // In an order that changes all the time a place is a number, not a key.
    const first = await this.engine.keys(actor, {
      by,
      limit: Math.min(MOST_KEYS, from + limit + 1),
    });
    return toKeyList(first.slice(from), limit, from);
  }

  @Get(':key')
  @ApiOperation({
    operationId: 'getKey',
    summary: 'A key: its committed state, its mailbox, and why it is quarantined',
  })
  @ApiKeyParam()
  @ApiOkResponse({ description: 'the key', standardSchema: keyView })
  async get(
    @Param('actor') actor: string,
    @Param('key') key: string,
    @Asker() by: Principal,
  ): Promise<KeyView> {
    return toKeyView(await this.finder.get(actor, key, by));
  }

  @Get(':key/journal')
  @ApiOperation({
    operationId: 'getJournal',
    summary: 'What turns of a key have left in its journal, newest first',
  })
  @ApiKeyParam()
  @ApiQuery({
    name: 'before',
    required: false,
    description: 'only rows older than the one with this id: `next` of the page before',
    schema: { type: 'string' },
  })
  @ApiLimit()
  @ApiOkResponse({ description: 'a page of it', standardSchema: journalPage })
  async journal(
    @Param('actor') actor: string,
    @Param('key') key: string,
    @Query({ schema: journalQuery }) { before, limit = DEFAULT_LIMIT }: JournalQuery,
    @Asker() by: Principal,
  ): Promise<JournalPage> {
    const page = { limit: limit + 1, ...(before !== undefined && { before }) };
    const { rows, state } = await this.finder.journal(actor, key, page, by);
    return toJournalPage(rows, limit, state);
  }

  @Post(':key/release')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'releaseKey',
    summary: 'Let a quarantined key go on, with the message that stopped it first',
  })
  @ApiKeyParam()
  @ApiOnce(ONCE)
  @ApiOkResponse({ description: 'it goes on', standardSchema: released })
  async release(
    @Param('actor') actor: string,
    @Param('key') key: string,
    @Headers('idempotency-key') once: string | undefined,
  ): Promise<Released> {
    return this.receipts.once(['releaseKey', actor, key], once, null, async () => {
      await this.finder.release(actor, key);
      return { key, state: 'released' };
    });
  }
}
