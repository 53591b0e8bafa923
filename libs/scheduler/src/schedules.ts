import {
  ActorHost,
  ENGINE,
  MessageRegistry,
  type Engine,
  type ScheduleRecord,
} from '@callsheet/messaging';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { schedulesOf } from './cron.decorator.js';

/** The schedules of this installation. Stores those declared in this process before its workers start. */
@Injectable()
export class Schedules implements OnApplicationBootstrap {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly host: ActorHost,
    private readonly registry: MessageRegistry,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const { name, target } of this.host.actors()) {
      for (const { method, cron, tz } of schedulesOf(target)) {
        await this.engine.putSchedule({
          id: `${name}.${method}`,
          actor: name,
          cron,
          tz,
          priority: 100,
        });
      }
    }
  }

  /** All schedules, by id. `next` is the next nominal time. */
  async list(): Promise<ScheduleRecord[]> {
    const schedules = await this.engine.schedules(this.registry.actors());
    return schedules.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
