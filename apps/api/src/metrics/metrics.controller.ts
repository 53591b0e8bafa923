import { METRICS, type Metrics } from '@callsheet/messaging';
import { Controller, Get, Headers, Inject, Optional, Res } from '@nestjs/common';
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
  @ApiOperation({
    operationId: 'getMetrics',
    summary: "Metrics: in Prometheus' text format, as OpenMetrics to who accepts that",
  })
  @ApiProduces('text/plain', 'application/openmetrics-text')
  @ApiOkResponse({ description: 'what this process counts', standardSchema: metricsText })
  async get(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('accept') accept = '',
  ): Promise<string> {
    if (!this.metrics) throw new ProblemError('not_found', 'metrics are off in this process');
    const { type, text } = await this.metrics.accepted(accept);
    void reply.header('vary', 'accept').type(type);
    return text;
  }
}
