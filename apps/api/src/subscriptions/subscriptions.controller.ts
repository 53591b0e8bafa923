import { OptionError, Routes, type Subscriber } from '@callsheet/messaging';
import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiReason } from '../change.reason.js';
import { cursorAfter, idOf } from '../id.cursor.js';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../openapi.decorators.js';
import {
  ApiCursor,
  ApiLimit,
  badCursor,
  DEFAULT_LIMIT,
  pageQuery,
  type PageQuery,
} from '../page.js';
import { ProblemError } from '../problem.js';
import {
  subscriberList,
  subscriberView,
  toSubscriberView,
  type SubscriberList,
  type SubscriberView,
} from './subscription.view.js';

/** Shows what actors subscribe to, and ends it for those that are gone for good. */
@ApiTags('routes')
@Controller('v1')
export class SubscriptionsController {
  constructor(private readonly routes: Routes) {}

  @Get('subscriptions')
  @ApiOperation({
    operationId: 'listSubscriptions',
    summary: 'Actors that subscribe to events, by name, whether they run or not',
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: subscriberList })
  async list(
    @Query({ schema: pageQuery }) { limit = DEFAULT_LIMIT, cursor }: PageQuery,
  ): Promise<SubscriberList> {
    const after = cursor === undefined ? '' : idOf(cursor);
    if (after === undefined) throw badCursor();
    const left = (await this.routes.subscribers()).filter(({ actor }) => actor > after);
    const shown = left.slice(0, limit);
    const last = left.length > limit ? shown.at(-1) : undefined;
    return { items: shown.map(toSubscriberView), next: last && cursorAfter(last.actor) };
  }

  @Get('subscriptions/:actor')
  @ApiOperation({ operationId: 'getSubscriptions', summary: 'What an actor subscribes to' })
  @ApiOkResponse({ description: 'its subscriptions', standardSchema: subscriberView })
  async get(@Param('actor') actor: string): Promise<SubscriberView> {
    return toSubscriberView(await this.find(actor));
  }

  @Delete('subscriptions/:actor')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteSubscriptions',
    summary:
      'End what an actor subscribes to that is gone for good; what it was sent stays in its queue. One that runs subscribes again, within ten seconds in another process, and misses what is published meanwhile; one of this process is refused',
  })
  @ApiReason()
  @ApiNoContentResponse({ description: 'no event reaches it any more' })
  async remove(@Param('actor') actor: string): Promise<void> {
    await this.find(actor);
    await this.routes.unsubscribe(actor);
  }

  /** @throws ProblemError not_found */
  private async find(actor: string): Promise<Subscriber> {
    const found = await subscriberOf(this.routes, actor);
    if (found) return found;
    throw new ProblemError(
      'not_found',
      `no actor '${actor}' subscribes to anything; see /v1/subscriptions`,
    );
  }
}

/** None for what cannot be the name of an actor. */
async function subscriberOf(routes: Routes, actor: string): Promise<Subscriber | undefined> {
  try {
    return await routes.subscriber(actor);
  } catch (error) {
    if (error instanceof OptionError) return undefined;
    throw error;
  }
}
