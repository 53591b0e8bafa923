import { Schedules } from '@callsheet/scheduler';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { scheduleList, toScheduleView, type ScheduleList } from './schedule.view.js';

/** Shows schedules. */
@ApiTags('schedules')
@Controller('v1/schedules')
export class SchedulesController {
  constructor(private readonly schedules: Schedules) {}

  @Get()
  @ApiOperation({ operationId: 'listSchedules', summary: 'All schedules' })
  @ApiOkResponse({ description: 'by id', standardSchema: scheduleList })
  async list(): Promise<ScheduleList> {
    return { items: (await this.schedules.list()).map(toScheduleView) };
  }
}
