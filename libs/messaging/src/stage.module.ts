import {
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ActorHost } from './actor.host.js';

/**
 * Starts the actors after, and stops them before, everything else in the application. Nest runs start hooks from the
 * farthest module to the nearest and stop hooks the other way round, so this module puts itself nearest of all.
 * Without this, a turn runs before its database is connected and goes on after it is closed.
 */
@Injectable()
class Stage implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly host: ActorHost,
    modules: ModulesContainer,
  ) {
    for (const module of modules.values()) {
      if (module.metatype === StageModule) module.distance = -1;
    }
  }

  onApplicationBootstrap(): Promise<void> {
    return this.host.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.host.stop();
  }
}

@Module({ providers: [Stage] })
export class StageModule {}
