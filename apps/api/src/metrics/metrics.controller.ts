import { METRICS, type Metrics } from '@callsheet/messaging';
import { Controller, Get, Inject, Optional, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '../openapi.decorators.js';
import type { FastifyReply } from 'fastify';
import { ProblemError } from '../problem.js';
import { metricsText } from './metrics.view.js';

/** Shows Prometheus the metrics of this process. Behind the API key: `authorization` in its scrape configuration. */
@ApiTags('metrics')
@Controller('metrics')
export class MetricsController {
  constructor(@Optional() @Inject(METRICS) private readonly metrics?: Metrics) {}

  @Get()
  @ApiOperation({ operationId: 'getMetrics', summary: 'Metrics for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'in its text format', standardSchema: metricsText })
  async get(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!this.metrics) throw new ProblemError('not_found', 'metrics are off in this process');
    void reply.type(this.metrics.contentType);
    return this.metrics.text();
  }
}
