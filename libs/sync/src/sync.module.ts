import { SchedulerModule } from '@callsheet/scheduler';
import { Global, Module } from '@nestjs/common';
import { DirectoryActor, SYNC } from './directory.actor.js';
import { PipelineHost } from './pipeline.host.js';
import { PipelineRunner } from './pipeline.runner.js';
import { Pipelines } from './pipelines.js';
import { SyncMetrics } from './sync.metrics.js';

/** The actors of this library, beside the pipelines themselves. Their messages are their own. */
export const SYNC_ACTORS: readonly string[] = [SYNC];

/**
 * Data sync. Import it once beside `CallsheetModule.forRoot(...)`, in applications that have pipelines and in those that look at
 * them. It brings `SchedulerModule` with it.
 */
@Global()
@Module({
  imports: [SchedulerModule],
  providers: [DirectoryActor, PipelineRunner, PipelineHost, Pipelines, SyncMetrics],
  exports: [Pipelines, PipelineRunner],
})
export class SyncModule {}
