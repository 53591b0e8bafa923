import type { Json } from '@callsheet/messaging';
import { OptionError } from '@callsheet/messaging';
import { Pipelines, type PipelineRecord, type StartedRun } from '@callsheet/sync';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
} from '../openapi.decorators.js';
import { ActorPatience } from '../actor.patience.js';
import { cursorAfter, idOf } from '../id.cursor.js';
import { ApiOnce, checkedKey } from '../idempotency.key.js';
import {
  ApiCursor,
  ApiLimit,
  badCursor,
  DEFAULT_LIMIT,
  pageQuery,
  type PageQuery,
} from '../page.js';
import { ProblemError } from '../problem.js';
import { ONCE, Receipts } from '../receipts.js';
import { ref } from '../schema.registry.js';
import {
  pipelineBackfill,
  pipelinePause,
  pipelineReset,
  type PipelineBackfill,
  type PipelinePause,
  type PipelineReset,
} from './pipeline.body.js';
import {
  pipelineHistory,
  pipelineList,
  pipelineQuery,
  pipelineRun,
  pipelineView,
  toHistoryView,
  toPipelineView,
  type PipelineHistory,
  type PipelineList,
  type PipelineQuery,
  type PipelineRun,
  type PipelineView,
} from './pipeline.view.js';

const PATIENCE = new ActorPatience(
  'runs this pipeline',
  'a worker that has it is up, and no long page in work',
);

const SAME_RUN = 'asked again with it, it is the same run; 1 to 200 characters';

/** Shows data sync pipelines, and what operators do with them. */
@ApiTags('sync')
@UseInterceptors(PATIENCE)
@Controller('v1/sync')
export class SyncController {
  constructor(
    private readonly pipelines: Pipelines,
    private readonly receipts: Receipts,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listPipelines', summary: 'Pipelines, by name' })
  @ApiQuery({
    name: 'troubled',
    required: false,
    description: 'those whose page has failed, or was given up',
    schema: { type: 'string', enum: ['true'] },
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: pipelineList })
  async list(
    @Query({ schema: pipelineQuery }) { limit = DEFAULT_LIMIT, cursor, troubled }: PipelineQuery,
  ): Promise<PipelineList> {
    const after = cursor === undefined ? undefined : idOf(cursor);
    if (cursor !== undefined && after === undefined) throw badCursor();
    // One more than asked for tells whether there is a next page.
    const found = await this.pipelines.list({
      limit: limit + 1,
      ...(after && { after }),
      ...(troubled && { troubled: true }),
    });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1) : undefined;
    return { items: records.map(toPipelineView), next: last && cursorAfter(last.name) };
  }

  @Get(':pipeline')
  @ApiOperation({
    operationId: 'getPipeline',
    summary: 'A pipeline: cursor, lag, rows, rate, errors',
  })
  @ApiOkResponse({ description: 'the pipeline', standardSchema: pipelineView })
  async get(@Param('pipeline') name: string): Promise<PipelineView> {
    return this.view(name);
  }

  @Get(':pipeline/history')
  @ApiOperation({
    operationId: 'listPipelineHistory',
    summary:
      'How its runs ended, pauses and resets, newest first; scheduled runs that found nothing are not there',
  })
  @ApiLimit()
  @ApiCursor()
  @ApiOkResponse({ description: 'a page', standardSchema: pipelineHistory })
  async history(
    @Param('pipeline') name: string,
    @Query({ schema: pageQuery })
    { limit = DEFAULT_LIMIT, cursor }: PageQuery,
  ): Promise<PipelineHistory> {
    await this.having(name, () => this.pipelines.get(name));
    const page = { limit: limit + 1, ...(cursor !== undefined && { before: cursor }) };
    const found = await this.pipelines.history(name, page).catch((error: unknown) => {
      throw error instanceof OptionError && error.path === 'before' ? badCursor() : error;
    });
    const entries = found.slice(0, limit);
    const last = found.length > limit ? entries.at(-1) : undefined;
    return { items: entries.map(toHistoryView), next: last?.cursor };
  }

  @Post(':pipeline/run')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'runPipeline',
    summary: 'Begin a run; 409 when the pipeline is paused',
  })
  @ApiOnce(SAME_RUN)
  @ApiAcceptedResponse({ description: 'it runs', standardSchema: pipelineRun })
  async run(
    @Param('pipeline') name: string,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<PipelineRun> {
    const id = checkedKey(key);
    return receipt(name, await this.having(name, () => this.pipelines.run(name, { id })));
  }

  @Post(':pipeline/backfill')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'backfillPipeline',
    summary:
      'Read a part of the source again, or all of it; the cursor of the pipeline stays where it is',
  })
  @ApiBody({ required: false, schema: ref('PipelineBackfill') })
  @ApiOnce(SAME_RUN)
  @ApiAcceptedResponse({ description: 'it runs, or waits', standardSchema: pipelineRun })
  async backfill(
    @Param('pipeline') name: string,
    @Body({ schema: pipelineBackfill }) range: PipelineBackfill,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<PipelineRun> {
    const id = checkedKey(key);
    const started = await this.having(name, () =>
      this.pipelines.backfill(name, (range ?? {}) as { from?: Json; until?: Json }, { id }),
    );
    return receipt(name, started);
  }

  @Post(':pipeline/pause')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pausePipeline',
    summary: 'Stop after the page in work, or change the reason',
  })
  @ApiOkResponse({ description: 'the pipeline', standardSchema: pipelineView })
  async pause(
    @Param('pipeline') name: string,
    @Body({ schema: pipelinePause }) { reason }: PipelinePause,
  ): Promise<PipelineView> {
    await this.having(name, () => this.pipelines.pause(name, reason));
    return this.view(name);
  }

  @Post(':pipeline/resume')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumePipeline',
    summary: 'Let it go on where it stopped; one that is not paused stays as it is',
  })
  @ApiOkResponse({ description: 'the pipeline', standardSchema: pipelineView })
  async resume(@Param('pipeline') name: string): Promise<PipelineView> {
    await this.having(name, () => this.pipelines.resume(name));
    return this.view(name);
  }

  @Post(':pipeline/reset')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resetPipeline',
    summary: 'End what is in work and waits, and move the cursor',
  })
  @ApiBody({ required: false, schema: ref('PipelineReset') })
  @ApiOnce(ONCE)
  @ApiOkResponse({ description: 'the pipeline', standardSchema: pipelineView })
  async reset(
    @Param('pipeline') name: string,
    @Body({ schema: pipelineReset }) body: PipelineReset,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<PipelineView> {
    return this.receipts.once(['resetPipeline', name], key, body, async () => {
      await this.having(name, () => this.pipelines.reset(name, (body?.cursor ?? null) as Json));
      return this.view(name);
    });
  }

  private async view(name: string): Promise<PipelineView> {
    const record: PipelineRecord = await this.having(name, () => this.pipelines.get(name));
    return toPipelineView(record);
  }

  /** @throws ProblemError not_found */
  private async having<T>(name: string, ask: () => Promise<T | undefined>): Promise<T> {
    const found = await ask();
    if (found !== undefined) return found;
    throw new ProblemError('not_found', `there is no pipeline '${name}'; see /v1/sync`);
  }
}

function receipt(id: string, { outcome: state, run }: StartedRun): PipelineRun {
  return { id, state, run };
}
