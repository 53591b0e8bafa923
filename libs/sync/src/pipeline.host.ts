import { ActorHost, Actors, outsideTurn } from '@callsheet/messaging';
import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DeclarePipeline } from './directory.actor.js';
import { declared, pipelineOf } from './pipeline.decorator.js';
import { messagesOf } from './pipeline.messages.js';
import type { DeclaredPipeline, ResolvedPipeline } from './pipeline.options.js';
import { Watch } from './watch.js';

/** The pipelines of this process: makes them known at start, watches their sources, and closes both ends when it stops. */
@Injectable()
export class PipelineHost implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Callsheet');
  private pipelines: DeclaredPipeline[] = [];
  private watches: Watch[] = [];

  constructor(
    private readonly host: ActorHost,
    private readonly actors: Actors,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const found = this.host.actors().flatMap(({ target, wrapper }) => {
      const options = pipelineOf(target);
      return options ? [{ options, instance: wrapper.instance as object }] : [];
    });
    // A pipeline that lacks a part stops the start.
    this.pipelines = found.map(({ options, instance }) => declared(options, instance));
    if (!this.host.consumes) return;
    for (const { options } of found) await this.declare(options);
    this.watches = this.pipelines.flatMap((pipeline) => this.watch(pipeline) ?? []);
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.watches.map((watch) => watch.stop()));
    // Both may be one object.
    const parts = new Set(this.pipelines.flatMap(({ source, sink }) => [source, sink]));
    await Promise.allSettled([...parts].map(async (part) => part.close?.()));
  }

  private async declare({ name, page, every, cron, tz }: ResolvedPipeline): Promise<void> {
    const message = new DeclarePipeline({
      key: name,
      page,
      ...(every !== undefined && { every: String(every) }),
      ...(cron !== undefined && { cron }),
      ...(tz !== undefined && { tz }),
    });
    await this.actors.tell(message, { priority: 'high' });
  }

  private watch({ name, source }: DeclaredPipeline): Watch | undefined {
    const look = source.watch?.bind(source);
    if (!look) return undefined;
    const { StartRun } = messagesOf(name);
    // Asked, not told: while it waits for its turn, one more would be of no use.
    const wake = () =>
      outsideTurn(() =>
        this.actors.ask(new StartRun({ key: name, reason: 'notified' }), { timeout: '1m' }),
      );
    return new Watch(look, wake, (problem) =>
      this.logger.warn(
        `pipeline '${name}' hears nothing of its source: ${problem}; it tries again`,
      ),
    );
  }
}
