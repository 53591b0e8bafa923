import { OptionError } from '@callsheet/messaging';
import { Schedules } from '@callsheet/scheduler';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import { checkedKey } from '../idempotency.key.js';
import {
  ApiCursor,
  ApiLimit,
  badCursor,
  DEFAULT_LIMIT,
  pageQuery,
  type PageQuery,
} from '../page.js';
import { ProblemError } from '../problem.js';
import { ref } from '../schema.registry.js';
import { runList, toRunView, type RunList } from './run.list.js';
import {
  backfillBody,
  pauseBody,
  triggerBody,
  type BackfillBody,
  type PauseBody,
  type TriggerBody,
} from './schedule.body.js';
import { ScheduleFinder } from './schedule.finder.js';
import { SCHEDULE_PATIENCE } from './schedule.patience.js';
import {
  nextQuery,
  nextView,
  toNextView,
  type NextQuery,
  type NextView,
} from './schedule.preview.view.js';
import { backfilled, triggered, type Backfilled, type Triggered } from './schedule.receipts.js';
import { scheduleView, type ScheduleView } from './schedule.view.js';

/** What is done with a schedule, and what has become of it. */
@ApiTags('schedules')
@UseInterceptors(SCHEDULE_PATIENCE)
@Controller('v1/schedules/:id')
export class ScheduleOperationsController {
  constructor(
    private readonly schedules: Schedules,
    private readonly finder: ScheduleFinder,
  ) {}

  @Post('pause')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pauseSchedule',
    summary:
      'Stop a schedule from starting runs, or change reason and end of its pause; its occurrences are recorded as paused',
  })
  @ApiOkResponse({ description: 'the schedule', standardSchema: scheduleView })
  async pause(
    @Param('id') id: string,
    @Body({ schema: pauseBody }) { reason, until }: PauseBody,
  ): Promise<ScheduleView> {
    await this.finder.having(id, () => this.schedules.pause(id, reason, until));
    return this.finder.view(id);
  }

  @Post('resume')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumeSchedule',
    summary: 'Let a paused schedule go on; one that is not paused stays as it is',
  })
  @ApiOkResponse({ description: 'the schedule', standardSchema: scheduleView })
  async resume(@Param('id') id: string): Promise<ScheduleView> {
    await this.finder.having(id, () => this.schedules.resume(id));
    return this.finder.view(id);
  }

  @Post('trigger')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'triggerSchedule',
    summary: "Start a run now, a paused schedule's too; 409 when a run in work does not let it",
  })
  @ApiBody({ required: false, schema: ref('ScheduleTrigger') })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'asked again with it, it is the same run; 1 to 200 characters',
  })
  @ApiAcceptedResponse({
    description: 'started, or it waits for the run in work to end',
    standardSchema: triggered,
    headers: {
      Location: { description: 'the run, when it has started', schema: { type: 'string' } },
    },
  })
  async trigger(
    @Param('id') id: string,
    @Body({ schema: triggerBody }) body: TriggerBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Triggered> {
    const once = checkedKey(key);
    const started = await this.finder.having(id, () =>
      this.schedules.trigger(id, { overlap: body?.overlap, id: once }),
    );
    if (started.outcome === 'started') {
      void reply.header('location', `/v1/messages/${encodeURIComponent(started.run)}`);
      return { id, state: 'started', run: started.run };
    }
    if (started.outcome === 'buffered') return { id, state: 'buffered' };
    throw new ProblemError(
      'run_skipped',
      `a run of '${id}' is in work, and the overlap policy starts no other; trigger it with another, such as {"overlap":"allow"}`,
    );
  }

  @Post('backfill')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'backfillSchedule',
    summary: 'Run the occurrences of a range of time, whether they have run or not',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body',
  })
  @ApiAcceptedResponse({ description: 'it is under way', standardSchema: backfilled })
  @ApiOkResponse({ description: 'counted: a dry run', standardSchema: backfilled })
  async backfill(
    @Param('id') id: string,
    @Body({ schema: backfillBody }) { id: own, ...range }: BackfillBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Backfilled> {
    if (own !== undefined && key !== undefined && own !== key) {
      throw new OptionError(
        'id',
        'differs from the header Idempotency-Key; send one of them, or the same',
      );
    }
    const { outcome: state, count } = await this.finder.having(id, () =>
      this.schedules.backfill(id, { ...range, id: own ?? key }),
    );
    if (state === 'counted') void reply.code(200);
    return { id, state, count };
  }

  @Get('runs')
  @ApiOperation({
    operationId: 'listScheduleRuns',
    summary: 'What has become of the occurrences and the runs of a schedule, newest first',
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: runList })
  async runs(
    @Param('id') id: string,
    @Query({ schema: pageQuery }) { limit = DEFAULT_LIMIT, cursor }: PageQuery,
  ): Promise<RunList> {
    await this.finder.get(id);
    // One more than asked for tells whether there is a next page.
    const found = await this.history(id, limit + 1, cursor);
    const entries = found.slice(0, limit);
    const last = found.length > limit ? entries.at(-1) : undefined;
    return { items: entries.map(toRunView), next: last?.cursor };
  }

  @Get('next')
  @ApiOperation({
    operationId: 'listScheduleNext',
    summary: 'The next occurrences of a schedule, as many as it has left',
  })
  @ApiQuery({
    name: 'count',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
  })
  @ApiOkResponse({ description: 'nominal times', standardSchema: nextView })
  async next(
    @Param('id') id: string,
    @Query({ schema: nextQuery }) { count }: NextQuery,
  ): Promise<NextView> {
    const { rule } = await this.finder.get(id);
    const times = await this.finder.having(id, () => this.schedules.next(id, count));
    return toNextView(times, rule.tz);
  }

  private async history(id: string, limit: number, cursor: string | undefined) {
    try {
      return await this.schedules.history(id, {
        limit,
        ...(cursor !== undefined && { before: cursor }),
      });
    } catch (error) {
      throw error instanceof OptionError && error.path === 'before' ? badCursor() : error;
    }
  }
}
