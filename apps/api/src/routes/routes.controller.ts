import {
  OptionError,
  Routes,
  type Priority,
  type Route,
  type RouteChange,
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
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import { Asker, type Principal } from '../access/principal.js';
import {
  ApiIfMatch,
  ApiIfNoneMatch,
  conditionOf,
  ETAG_HEADER,
  etagOf,
} from '../change.condition.js';
import { ApiReason, checkedReason } from '../change.reason.js';
import { cursorAfter, idOf } from '../id.cursor.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import {
  ApiCursor,
  ApiLimit,
  badCursor,
  DEFAULT_LIMIT,
  pageQuery,
  type PageQuery,
} from '../page.js';
import { ActorPatience } from '../actor.patience.js';
import { routePut, routeTesting, type RoutePut, type RouteTesting } from './route.body.js';
import { RouteFinder } from './route.finder.js';
import {
  routeHistory,
  routeList,
  routeTested,
  routeView,
  storedRoute,
  toRouteHistory,
  toRouteTested,
  toRouteView,
  type RouteHistory,
  type RouteList,
  type RouteTested,
  type RouteView,
  type StoredRoute,
} from './route.view.js';

/** Makes, shows, changes and removes stored routes, and tells where they lead. */
@ApiTags('routes')
@UseInterceptors(new ActorPatience('keeps routes', 'a worker'))
@Controller('v1')
export class RoutesController {
  constructor(
    private readonly routes: Routes,
    private readonly finder: RouteFinder,
    private readonly sendable: SendableMessages,
  ) {}

  @Get('routes')
  @ApiOperation({
    operationId: 'listRoutes',
    summary: 'Stored routes, by id; their order says in which one they are looked at',
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: routeList })
  async list(
    @Query({ schema: pageQuery }) { limit = DEFAULT_LIMIT, cursor }: PageQuery,
  ): Promise<RouteList> {
    const after = cursor === undefined ? undefined : idOf(cursor);
    if (cursor !== undefined && after === undefined) throw badCursor();
    // One more than asked for tells whether there is a next page.
    const found = await this.routes.list({ after, limit: limit + 1 });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1) : undefined;
    return { items: records.map(toRouteView), next: last && cursorAfter(last.id) };
  }

  @Get('routes/:id')
  @ApiOperation({ operationId: 'getRoute', summary: 'A stored route' })
  @ApiOkResponse({ description: 'the route', standardSchema: routeView, headers: ETAG_HEADER })
  async get(
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteView> {
    const record = await this.finder.get(id);
    void reply.header('etag', etagOf(record.revision));
    return toRouteView(record);
  }

  @Put('routes/:id')
  @ApiOperation({
    operationId: 'putRoute',
    summary:
      'Make a route, or change it; events published from then on go by it. What was shown of one can be sent back',
  })
  @ApiIfMatch()
  @ApiIfNoneMatch()
  @ApiReason()
  @ApiOkResponse({
    description: 'changed, or it was so already',
    standardSchema: storedRoute,
    headers: ETAG_HEADER,
  })
  @ApiCreatedResponse({ description: 'made', standardSchema: storedRoute, headers: ETAG_HEADER })
  async put(
    @Param('id') id: string,
    @Body({ schema: routePut }) body: RoutePut,
    @Headers() headers: Record<string, string | undefined>,
    @Asker() by: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredRoute> {
    const { id: own = id, revision: _, changedAt: __, ...route } = body;
    if (own !== id) throw new OptionError('id', 'differs from that of the URL');
    const change = await this.change(id, headers, by);
    const put = await aboutTheBody(this.routes.put(id, route as Omit<Route, 'id'>, change));
    if (put.outcome === 'conflict') throw await this.finder.conflict(id);
    const { outcome, record } = put;
    void reply.code(outcome === 'created' ? 201 : 200).header('etag', etagOf(record.revision));
    return { ...toRouteView(record), outcome };
  }

  @Delete('routes/:id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteRoute', summary: 'Remove a route; its history stays' })
  @ApiIfMatch()
  @ApiReason()
  @ApiNoContentResponse({ description: 'removed' })
  async remove(
    @Param('id') id: string,
    @Headers() headers: Record<string, string | undefined>,
    @Asker() by: Principal,
  ): Promise<void> {
    // What is not there is not there, whatever the condition.
    await this.finder.get(id);
    const { outcome } = await this.routes.remove(id, await this.change(id, headers, by));
    if (outcome === 'conflict') throw await this.finder.conflict(id);
    // Gone between the two.
    if (outcome === 'unknown') await this.finder.get(id);
  }

  @Get('routes/:id/history')
  @ApiOperation({
    operationId: 'listRouteChanges',
    summary: 'The latest changes of a route, newest first, also of one that was removed',
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: routeHistory })
  async history(
    @Param('id') id: string,
    @Query({ schema: pageQuery }) { limit = DEFAULT_LIMIT, cursor }: PageQuery,
  ): Promise<RouteHistory> {
    const page = { limit: limit + 1, ...(cursor !== undefined && { before: cursor }) };
    const changes = await this.finder.history(id, page).catch((error: unknown) => {
      throw error instanceof OptionError && error.path === 'before' ? badCursor() : error;
    });
    return toRouteHistory(changes, limit);
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Post('routes::test')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'testRoutes',
    summary: 'Where an event would be led now; nothing is stored',
  })
  @ApiOkResponse({ description: 'who would receive it, and why', standardSchema: routeTested })
  async test(@Body({ schema: routeTesting }) body: RouteTesting): Promise<RouteTested> {
    const { type, data, version, priority, route, ...rest } = body;
    const event = this.sendable.create(type, data, version);
    const { revision: _, changedAt: __, ...draft } = route ?? {};
    const options = { ...rest, priority: priority as Priority | undefined };
    return toRouteTested(await this.routes.test(event, options, route && (draft as Route)));
  }

  private async change(
    id: string,
    headers: Record<string, string | undefined>,
    { id: by }: Principal,
  ): Promise<RouteChange> {
    const reason = checkedReason(headers['x-reason']);
    const condition = conditionOf(headers['if-match'], headers['if-none-match']);
    return { ...(await this.finder.revision(id, condition)), by, reason };
  }
}

/** What is wrong with the whole route is wrong with the whole body. */
async function aboutTheBody<T>(put: Promise<T>): Promise<T> {
  try {
    return await put;
  } catch (error) {
    throw error instanceof OptionError && error.path === 'route'
      ? new OptionError('', error.problem)
      : error;
  }
}
