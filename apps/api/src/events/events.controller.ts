import { MessageRegistry } from '@callsheet/messaging';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Asker, may, type Principal } from '../access/principal.js';
import { requireActorIn } from '../actors/known.actor.js';
import { EventStream } from '../event.stream.js';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import { ProblemError } from '../problem.js';
import { ActivitySeries } from './activity.series.js';
import {
  activityQuery,
  activityView,
  toActivityView,
  type ActivityQuery,
  type ActivityView,
} from './activity.view.js';
import { EventFeed } from './event.feed.js';
import { ALL_KINDS, EVENT_KINDS, type EventKind } from './event.kinds.js';
import { EventSettings } from './event.settings.js';
import { eventQuery, events, sentEvent, type EventQuery } from './event.view.js';

const ApiActor = (description: string): MethodDecorator =>
  ApiQuery({ name: 'actor', required: false, description, schema: { type: 'string' } });

/** Shows what happens now, and what was done in the last hour. */
@ApiTags('events')
@Controller('v1')
export class EventsController {
  constructor(
    private readonly feed: EventFeed,
    private readonly series: ActivitySeries,
    private readonly settings: EventSettings,
    private readonly registry: MessageRegistry,
  ) {}

  @Get('events')
  @ApiOperation({
    operationId: 'followEvents',
    summary:
      'What happens now, in all processes, as server-sent events; what was before is not told',
  })
  @ApiQuery({
    name: 'kinds',
    required: false,
    description: `which, with commas between: ${ALL_KINDS.join(', ')}. Default: all that one may read`,
    schema: { type: 'string' },
  })
  @ApiActor('only what is of this actor')
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'a stream that does not end', standardSchema: events })
  events(
    @Query({ schema: eventQuery }) { kinds, actor }: EventQuery,
    @Asker() asker: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    requireActorIn(this.registry, { actor }, asker);
    const following = { kinds: permitted(asker, kinds), actor };
    this.feed.requireRoom();
    const stream = EventStream.open(reply, sentEvent);
    // Whoever asks for the headers alone reads nothing.
    if (request.method === 'HEAD') return stream.close();
    this.feed.join(stream, following);
  }

  @Get('activity')
  @ApiOperation({
    operationId: 'getActivity',
    summary: 'Throughput, latency and failures over time, of the last hour at most',
  })
  @ApiActor('only this actor, beside the total')
  @ApiQuery({
    name: 'minutes',
    required: false,
    description: 'how far back',
    schema: { type: 'integer', minimum: 1, maximum: 60, default: 15 },
  })
  @ApiOkResponse({ description: 'in steps of ten seconds', standardSchema: activityView })
  activity(
    @Query({ schema: activityQuery }) query: ActivityQuery,
    @Asker() asker: Principal,
  ): ActivityView {
    requireActorIn(this.registry, query, asker);
    return toActivityView(this.series, this.settings.step / 1_000, query);
  }
}

/** What somebody wants that may be read by him. @throws ProblemError forbidden for what he wants and may not */
function permitted(asker: Principal, wanted?: readonly EventKind[]): ReadonlySet<EventKind> {
  const kinds = ALL_KINDS.filter((kind) => may(asker, EVENT_KINDS[kind]));
  const refused = wanted?.find((kind) => !kinds.includes(kind));
  if (refused === undefined) return new Set(wanted ?? kinds);
  const detail = `'${asker.name}' may not follow ${refused}: it needs ${EVENT_KINDS[refused]}`;
  throw new ProblemError('forbidden', detail);
}
