import { SchedulerModule } from '@callsheet/scheduler';
import { Module } from '@nestjs/common';
import { ActorsController } from './actors/actors.controller.js';
import { DeadLettersController } from './dead-letters/dead.letters.controller.js';
import { HealthController } from './health/health.controller.js';
import { KeyFinder } from './keys/key.finder.js';
import { KeysController } from './keys/keys.controller.js';
import { MessageFinder } from './messages/message.finder.js';
import { MessagesController } from './messages/messages.controller.js';
import { SendableMessages } from './messages/sendable.messages.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { ScheduleFinder } from './schedules/schedule.finder.js';
import { ScheduleOperationsController } from './schedules/schedule.operations.controller.js';
import { SchedulesController } from './schedules/schedules.controller.js';

/** The HTTP API. Needs `CallsheetModule.forRoot(...)` beside it; made into a server by `createHttpApp`. */
@Module({
  imports: [SchedulerModule],
  controllers: [
    MessagesController,
    DeadLettersController,
    ActorsController,
    KeysController,
    SchedulesController,
    ScheduleOperationsController,
    HealthController,
    MetricsController,
  ],
  providers: [KeyFinder, MessageFinder, ScheduleFinder, SendableMessages],
})
export class ApiModule {}
