import { CLOCK, OptionError, type Clock } from '@callsheet/messaging';
import { checkSchedule, Schedules, type ScheduleRecord } from '@callsheet/scheduler';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import {
  ApiIfMatch,
  ApiIfNoneMatch,
  conditionOf,
  ETAG_HEADER,
  etagOf,
} from '../change.condition.js';
import { cursorAfter, idOf } from '../id.cursor.js';
import { checkedKey } from '../idempotency.key.js';
import { ApiCursor, ApiLimit, badCursor, DEFAULT_LIMIT } from '../page.js';
import {
  optionsOf,
  scheduleBody,
  schedulePreview,
  schedulePut,
  type ScheduleBody,
  type SchedulePreview,
  type SchedulePut,
} from './schedule.body.js';
import { ScheduleFinder } from './schedule.finder.js';
import { SCHEDULE_PATIENCE } from './schedule.patience.js';
import {
  previewView,
  storedSchedule,
  toPreviewView,
  toStoredSchedule,
  type PreviewView,
  type StoredSchedule,
} from './schedule.preview.view.js';
import {
  scheduleList,
  scheduleQuery,
  scheduleView,
  type ScheduleList,
  type ScheduleQuery,
  type ScheduleView,
} from './schedule.view.js';

/** How many occurrences are shown of a schedule that was stored. */
const SHOWN = 10;

/** Makes, shows, changes and removes schedules. */
@ApiTags('schedules')
@UseInterceptors(SCHEDULE_PATIENCE)
@Controller('v1')
export class SchedulesController {
  constructor(
    private readonly schedules: Schedules,
    private readonly finder: ScheduleFinder,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('schedules')
  @ApiOperation({ operationId: 'listSchedules', summary: 'Schedules, by id' })
  @ApiQuery({ name: 'tag', required: false, schema: { type: 'string', maxLength: 64 } })
  @ApiQuery({
    name: 'q',
    required: false,
    description: 'text in id, description or type of message, whatever the case',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  })
  @ApiQuery({
    name: 'state',
    required: false,
    schema: { type: 'string', enum: ['active', 'paused', 'finished', 'broken'] },
  })
  @ApiQuery({
    name: 'troubled',
    required: false,
    description: 'those that are broken, and those with runs that failed since one succeeded',
    schema: { type: 'string', enum: ['true'] },
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: scheduleList })
  async list(
    @Query({ schema: scheduleQuery })
    { limit = DEFAULT_LIMIT, cursor, q, troubled, ...filter }: ScheduleQuery,
  ): Promise<ScheduleList> {
    const after = cursor === undefined ? undefined : idOf(cursor);
    if (cursor !== undefined && after === undefined) throw badCursor();
    // One more than asked for tells whether there is a next page.
    const found = await this.schedules.list({
      ...filter,
      ...(q !== undefined && { text: q }),
      ...(troubled && { troubled: true }),
      ...(after !== undefined && { after }),
      limit: limit + 1,
    });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1) : undefined;
    return {
      items: records.map((record) => this.finder.toView(record)),
      next: last && cursorAfter(last.id),
    };
  }

  @Post('schedules')
  @HttpCode(201)
  @ApiOperation({ operationId: 'createSchedule', summary: 'Make a schedule' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'asked again with it, the same schedule is made once; 1 to 200 characters',
  })
  @ApiCreatedResponse({
    description: 'stored, and its first occurrence is certain',
    standardSchema: storedSchedule,
    headers: {
      Location: { description: 'the schedule', schema: { type: 'string' } },
      ...ETAG_HEADER,
    },
  })
  async create(
    @Body({ schema: scheduleBody }) body: ScheduleBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredSchedule> {
    const message = this.finder.message(body.message, undefined);
    const input = { ...optionsOf(body), message };
    const record = await this.schedules.create(body.id, input, checkedKey(key));
    void reply.header('location', `/v1/schedules/${body.id}`);
    void reply.header('etag', etagOf(record.revision));
    return this.stored(record, 'created');
  }

  @Get('schedules/:id')
  @ApiOperation({ operationId: 'getSchedule', summary: 'A schedule' })
  @ApiOkResponse({
    description: 'the schedule',
    standardSchema: scheduleView,
    headers: ETAG_HEADER,
  })
  async get(
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleView> {
    const view = await this.finder.view(id);
    void reply.header('etag', etagOf(view.revision));
    return view;
  }

  @Put('schedules/:id')
  @ApiOperation({
    operationId: 'putSchedule',
    summary:
      'Make a schedule, or change it; occurrences that are due still come. What was shown of one can be sent back',
  })
  @ApiIfMatch()
  @ApiIfNoneMatch()
  @ApiOkResponse({
    description: 'changed, or it was so already',
    standardSchema: storedSchedule,
    headers: ETAG_HEADER,
  })
  @ApiCreatedResponse({
    description: 'made',
    standardSchema: storedSchedule,
    headers: ETAG_HEADER,
  })
  async put(
    @Param('id') id: string,
    @Body({ schema: schedulePut }) body: SchedulePut,
    @Headers() headers: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredSchedule> {
    if (body.id !== undefined && body.id !== id) {
      throw new OptionError('id', 'differs from that of the URL');
    }
    const message = this.finder.message(body.message, await this.schedules.get(id));
    const input = { ...optionsOf(body), message };
    const condition = conditionOf(headers['if-match'], headers['if-none-match']);
    const change = await this.finder.change(id, condition);
    const { outcome, schedule } = await this.schedules.put(id, input, change);
    void reply.code(outcome === 'created' ? 201 : 200).header('etag', etagOf(schedule.revision));
    return this.stored(schedule, outcome);
  }

  @Delete('schedules/:id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteSchedule',
    summary: 'Remove a schedule and its history; runs in work go on',
  })
  @ApiIfMatch()
  @ApiNoContentResponse({ description: 'removed' })
  async remove(
    @Param('id') id: string,
    @Headers() headers: Record<string, string | undefined>,
  ): Promise<void> {
    const condition = conditionOf(headers['if-match'], headers['if-none-match']);
    // Where there is none, it is not found, whatever the condition.
    const change = await this.finder.change(id, condition === 'some' ? undefined : condition);
    await this.finder.having(id, () => this.schedules.remove(id, change));
  }

  // The doubled colon is Fastify's way to write one that does not begin a parameter.
  @Post('schedules::preview')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'previewSchedule',
    summary: 'What a schedule would do; nothing is stored',
  })
  @ApiOkResponse({ description: 'its next occurrences', standardSchema: previewView })
  preview(@Body({ schema: schedulePreview }) body: SchedulePreview): PreviewView {
    const { id = 'preview', message, from, count } = body;
    if (message) this.finder.message(message, undefined);
    const { rule } = checkSchedule(id, optionsOf(body));
    return toPreviewView(rule, { from: from?.getTime() ?? this.clock.now(), count });
  }

  private async stored(
    record: ScheduleRecord,
    outcome: StoredSchedule['outcome'],
  ): Promise<StoredSchedule> {
    const times = (await this.schedules.next(record.id, SHOWN)) ?? [];
    const view = this.finder.toView(record);
    return toStoredSchedule(view, outcome, record.rule, times, this.clock.now());
  }
}
