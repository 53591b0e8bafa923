import { DeliverWebhook } from '@callsheet/contracts';
import { Actor, Actors, On } from '@callsheet/messaging';
import { ScheduleTroubled } from '@callsheet/scheduler';
import { Settings } from '../settings.js';

/** Tells a webhook (`ALERT_WEBHOOK_URL`) what is wrong with schedules; without one nobody but the log and the metrics. */
@Actor({ name: 'alerts' })
export class AlertActor {
  constructor(
    private readonly actors: Actors,
    private readonly settings: Settings,
  ) {}

  @On(ScheduleTroubled)
  async tell({ schedule, kind, nominal, count, detail }: ScheduleTroubled): Promise<void> {
    const { alertUrl } = this.settings;
    if (!alertUrl) return;
    const payload = {
      schedule,
      ...(nominal !== undefined && { nominal: new Date(nominal).toISOString() }),
      ...(count !== undefined && { count }),
      detail,
    };
    const event = `schedule.${kind}`;
    await this.actors.tell(new DeliverWebhook({ url: alertUrl, event, payload }));
  }
}
