import { Module } from '@nestjs/common';
import { Schedules } from './schedules.js';

/** Schedules for actors. Import it beside `CallsheetModule.forRoot(...)`. */
@Module({ providers: [Schedules], exports: [Schedules] })
export class SchedulerModule {}
