import { ENGINE, type Engine } from '@callsheet/messaging';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi.decorators.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '../problem.js';
import { live, ready, type Live, type Ready } from './health.view.js';

/** How long the store may take to answer, in milliseconds: less than the usual timeout of a probe. */
const PATIENCE = 2_000;

/** Tells whether this process lives and can work. Open to all: orchestrators have no credentials. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get('live')
  @ApiOperation({ operationId: 'getLive', summary: 'Whether the process runs', security: [] })
  @ApiOkResponse({ description: 'it does', standardSchema: live })
  live(): Live {
    return { status: 'live' };
  }

  @Get('ready')
  @ApiOperation({ operationId: 'getReady', summary: 'Whether the store answers', security: [] })
  @ApiOkResponse({ description: 'it does', standardSchema: ready })
  async ready(): Promise<Ready> {
    await this.reachStore();
    const { name, durability } = this.engine.store;
    return { status: 'ready', store: { name, durability } };
  }

  private async reachStore(): Promise<void> {
    const answered = new AbortController();
    const silence = sleep(PATIENCE, undefined, { signal: answered.signal }).then(() => {
      throw new Error(`no answer within ${PATIENCE} ms`);
    });
    try {
      await Promise.race([this.engine.ping(), silence]);
    } catch (cause) {
      throw new ProblemError('not_ready', 'the store does not answer', { cause });
    } finally {
      silence.catch(() => undefined);
      answered.abort();
    }
  }
}
