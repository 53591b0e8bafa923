import { Module, type DynamicModule } from '@nestjs/common';
import { DeploymentActor } from './deployment.actor.js';
import { Deployments } from './deployments.js';
import { ScheduleActor } from './schedule.actor.js';
import { ScheduleMetrics } from './schedule.metrics.js';
import {
  resolveSchedulerOptions,
  SCHEDULER_OPTIONS,
  type SchedulerOptions,
} from './scheduler.options.js';
import { Schedules } from './schedules.js';
import { DEPLOYMENTS, SCHEDULES } from './timer.js';
import { WATCHDOG, WatchdogActor } from './watchdog.actor.js';

/** The actors that keep schedules. Their messages are their own: who sends one by hand can break a schedule. */
export const SCHEDULER_ACTORS: readonly string[] = [DEPLOYMENTS, WATCHDOG, SCHEDULES];

/**
 * Schedules. Import it beside `CallsheetModule.forRoot(...)`, in every application that declares schedules or makes some: each of
 * their processes can start what is due, none is needed more than another.
 */
@Module({
  providers: [
    { provide: SCHEDULER_OPTIONS, useValue: resolveSchedulerOptions() },
    ScheduleMetrics,
    ScheduleActor,
    DeploymentActor,
    WatchdogActor,
    Deployments,
    Schedules,
  ],
  exports: [Schedules, Deployments],
})
export class SchedulerModule {
  /** With options. @throws OptionError */
  static forRoot(options: SchedulerOptions = {}): DynamicModule {
    const resolved = resolveSchedulerOptions(options);
    return {
      module: SchedulerModule,
      providers: [{ provide: SCHEDULER_OPTIONS, useValue: resolved }],
    };
  }
}
