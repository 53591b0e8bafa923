import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '../openapi.decorators.js';
import { ApiLimit, DEFAULT_LIMIT } from '../page.js';
import { AuditLog } from './audit.log.js';
import {
  auditPage,
  auditQuery,
  toAuditPage,
  type AuditPage,
  type AuditQuery,
} from './audit.view.js';

/** Shows who changed what. */
@ApiTags('access')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  @ApiOperation({
    operationId: 'listAudit',
    summary: 'Who changed what, newest first; of the newest 100,000 changes',
  })
  @ApiQuery({
    name: 'before',
    required: false,
    description: 'only entries older than the one with this id: `next` of the page before',
    schema: { type: 'string' },
  })
  @ApiQuery({
    name: 'action',
    required: false,
    description:
      'only what was done so: pause, say. With it, who or target a call looks at 1,000 entries: items may be few, even none, and next there',
    schema: { type: 'string', maxLength: 60 },
  })
  @ApiQuery({
    name: 'who',
    required: false,
    description: 'a part of the name or of the id of who asked',
    schema: { type: 'string', maxLength: 250 },
  })
  @ApiQuery({
    name: 'target',
    required: false,
    description:
      'only what was done to this: a kind (schedules), an id (weekly), or both (schedules/weekly)',
    schema: { type: 'string', maxLength: 300 },
  })
  @ApiLimit()
  @ApiOkResponse({ description: 'a page', standardSchema: auditPage })
  async list(
    @Query({ schema: auditQuery }) { before, limit = DEFAULT_LIMIT, ...filter }: AuditQuery,
  ): Promise<AuditPage> {
    return toAuditPage(await this.log.page(filter, limit, before));
  }
}
