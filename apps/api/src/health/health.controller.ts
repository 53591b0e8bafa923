import { ENGINE, toMilliseconds, type Duration, type Engine } from '@callsheet/messaging';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi.decorators.js';
import { live, ready, readyQuery, type Live, type Ready, type ReadyQuery } from './health.view.js';
import { Readiness } from './readiness.js';

/** Tells whether this process lives and can work. Open to all: orchestrators have no credentials. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly readiness: Readiness,
  ) {}

  @Get('live')
  @ApiOperation({ operationId: 'getLive', summary: 'Whether the process runs', security: [] })
  @ApiOkResponse({ description: 'it does', standardSchema: live })
  live(): Live {
    return { status: 'live' };
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'getReady',
    summary: 'Whether messages are handled: a turn of the actor `canary` is committed',
    security: [],
  })
  @ApiOkResponse({ description: 'it was', standardSchema: ready })
  async ready(@Query({ schema: readyQuery }) { oldest }: ReadyQuery): Promise<Ready> {
    const turnMs = await this.readiness.turn();
    if (oldest !== undefined) {
      await this.readiness.requireTaken(toMilliseconds(oldest as Duration, 'oldest'));
    }
    const { name, durability } = this.engine.store;
    return { status: 'ready', turnMs: Math.round(turnMs), store: { name, durability } };
  }
}
