import { SchedulerModule } from '@callsheet/scheduler';
import { SyncModule } from '@callsheet/sync';
import { Module } from '@nestjs/common';
import { ApiKeys } from './access/api.keys.js';
import { ApiKeysController } from './access/api.keys.controller.js';
import { ActorsController } from './actors/actors.controller.js';
import { AuditActor } from './audit/audit.actor.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditLog } from './audit/audit.log.js';
import { RoomFeeds } from './chat/room.feeds.js';
import { RoomHistory } from './chat/room.history.js';
import { RoomPosts } from './chat/room.posts.js';
import { RoomPresence } from './chat/room.presence.js';
import { RoomSettings } from './chat/room.settings.js';
import { RoomSockets } from './chat/room.sockets.js';
import { RoomsController } from './chat/rooms.controller.js';
import { DeadLettersController } from './dead-letters/dead.letters.controller.js';
import { CanaryActor } from './health/canary.actor.js';
import { ActivitySeries } from './events/activity.series.js';
import { EventFeed } from './events/event.feed.js';
import { EventSettings } from './events/event.settings.js';
import { EventsController } from './events/events.controller.js';
import { QueueCounts } from './events/queue.counts.js';
import { HealthController } from './health/health.controller.js';
import { Readiness } from './health/readiness.js';
import { HookRate } from './hooks/hook.rate.js';
import { HookSecrets } from './hooks/hook.secrets.js';
import { HooksController } from './hooks/hooks.controller.js';
import { KeyFinder } from './keys/key.finder.js';
import { KeysController } from './keys/keys.controller.js';
import { MessageFinder } from './messages/message.finder.js';
import { MessageLister } from './messages/message.lister.js';
import { MessageSearcher } from './messages/message.searcher.js';
import { MessagesController } from './messages/messages.controller.js';
import { SendableMessages } from './messages/sendable.messages.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { Receipts } from './receipts.js';
import { RouteFinder } from './routes/route.finder.js';
import { RoutesController } from './routes/routes.controller.js';
import { SubscriptionsController } from './subscriptions/subscriptions.controller.js';
import { ScheduleFinder } from './schedules/schedule.finder.js';
import { ScheduleOperationsController } from './schedules/schedule.operations.controller.js';
import { SchedulesController } from './schedules/schedules.controller.js';
import { SyncController } from './sync/sync.controller.js';
import { TopicsController } from './topics/topics.controller.js';

/** The HTTP API. Needs `CallsheetModule.forRoot(...)` beside it; made into a server by `createHttpApp`. */
@Module({
  imports: [SchedulerModule, SyncModule],
  controllers: [
    MessagesController,
    TopicsController,
    HooksController,
    RoutesController,
    SubscriptionsController,
    DeadLettersController,
    ActorsController,
    KeysController,
    SchedulesController,
    ScheduleOperationsController,
    RoomsController,
    SyncController,
    ApiKeysController,
    AuditController,
    EventsController,
    HealthController,
    MetricsController,
  ],
  providers: [
    ActivitySeries,
    ApiKeys,
    AuditActor,
    AuditLog,
    CanaryActor,
    EventFeed,
    EventSettings,
    HookRate,
    { provide: HookSecrets, useFactory: () => new HookSecrets(process.env.HOOK_SECRETS) },
    KeyFinder,
    MessageFinder,
    MessageLister,
    MessageSearcher,
    Readiness,
    QueueCounts,
    Receipts,
    RouteFinder,
    ScheduleFinder,
    SendableMessages,
    RoomFeeds,
    RoomHistory,
    RoomPosts,
    RoomPresence,
    RoomSettings,
    RoomSockets,
  ],
})
export class ApiModule {}
