import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '../openapi.decorators.js';
import { ApiLimit, DEFAULT_LIMIT } from '../page.js';
import { AuditLog } from './audit.log.js';
import { auditPage, toAuditPage, type AuditPage } from './audit.view.js';
import { journalQuery, type JournalQuery } from '../keys/key.view.js';

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
  @ApiLimit()
  @ApiOkResponse({ description: 'a page', standardSchema: auditPage })
  async list(
    @Query({ schema: journalQuery }) { before, limit = DEFAULT_LIMIT }: JournalQuery,
  ): Promise<AuditPage> {
    const page = { limit: limit + 1, ...(before !== undefined && { before }) };
    return toAuditPage(await this.log.list(page), limit);
  }
}
