import { Actor, type Turn } from '@callsheet/messaging';
import { Cron } from '@callsheet/scheduler';
import { Logger } from '@nestjs/common';

/** Beats every ten seconds, once however many workers run: shows that schedules fire, and how late. */
@Actor({ name: 'heartbeat', retry: { attempts: 1 } })
export class HeartbeatActor {
  private readonly logger = new Logger(HeartbeatActor.name);

  @Cron('*/10 * * * * *')
  beat(_: Record<string, never>, turn: Turn): void {
    const nominal = turn.occurrence ?? turn.sentAt;
    this.logger.debug(
      `beat of ${nominal.toISOString()}, ${Date.now() - nominal.getTime()} ms late`,
    );
  }
}
