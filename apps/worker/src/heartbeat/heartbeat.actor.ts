import { Actor } from '@callsheet/messaging';
import { Cron, ScheduledRun } from '@callsheet/scheduler';
import { Logger } from '@nestjs/common';

/** Beats every ten seconds, once however many workers run: shows that schedules fire, and how late. */
@Actor({ name: 'heartbeat', retry: { attempts: 1 } })
export class HeartbeatActor {
  private readonly logger = new Logger(HeartbeatActor.name);

  @Cron('*/10 * * * * *', { tags: ['example'], description: 'shows that schedules fire' })
  beat(run: ScheduledRun): void {
    this.logger.debug(`beat of ${run.nominal.toISOString()}, ${run.drift} ms late`);
  }
}
