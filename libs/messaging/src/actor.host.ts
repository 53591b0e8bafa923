import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { exploreActors, type FoundActor } from './actor.explorer.js';
import { ENGINE, type Consumer, type Engine } from './engine.js';
import { MessageRegistry } from './message.registry.js';
import { DeclarationError } from './messaging.errors.js';
import { OPTIONS, type ResolvedOptions } from './messaging.options.js';
import { turnRunner } from './turn.runner.js';

/** The actors that run in this process: finds and checks them, starts and stops their consumers. */
@Injectable()
export class ActorHost implements OnModuleInit {
  private readonly logger = new Logger('Callsheet');
  private found: FoundActor[] = [];
  private consumers: Consumer[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly registry: MessageRegistry,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OPTIONS) private readonly options: Pick<ResolvedOptions, 'shutdownGrace'>,
  ) {}

  /** Runs before any other module's: wrong declarations stop the start, and the store is let go. */
  async onModuleInit(): Promise<void> {
    try {
      this.found = exploreActors(this.discovery, this.registry.all());
      for (const { name, handlers } of this.found) {
        this.registry.addActor(name);
        for (const { message } of handlers.values()) if (message) this.registry.add(message);
      }
    } catch (error) {
      await this.engine.close();
      throw error;
    }
  }

  /** The actors of this process. */
  actors(): readonly FoundActor[] {
    return this.found;
  }

  /** Starts taking messages. Called when every provider of the application is ready. */
  async start(): Promise<void> {
    for (const actor of this.found) await this.requireSchedules(actor);
    this.warnOfUnhandled();
    for (const { name, concurrency, handlers, retry } of this.found) {
      const turn = turnRunner(handlers, retry);
      this.consumers.push(await this.engine.consume(name, { concurrency }, turn));
    }
  }

  /** Takes no more messages and lets the running turns end or hand back. Called before anything else is closed. */
  async stop(): Promise<void> {
    const consumers = this.consumers.splice(0);
    if (consumers.length === 0) return;
    this.logger.log('stopping: no new messages, waiting for running turns');
    await Promise.all(consumers.map((consumer) => consumer.stop(this.options.shutdownGrace)));
  }

  /** On a shared store another process may run the actor; on others its messages would wait for ever. */
  private warnOfUnhandled(): void {
    if (this.engine.store.shared || this.found.length === 0) return;
    const names = new Set(this.found.map(({ name }) => name));
    for (const { meta } of this.registry.all()) {
      if (names.has(meta.actor)) continue;
      this.logger.warn(
        `no actor here handles '${meta.type}', and no other process can: it would wait`,
      );
    }
  }

  /** A schedule is stored by the scheduler's module; without it nothing would ever happen, and nobody would know. */
  private async requireSchedules({ name, handlers }: FoundActor): Promise<void> {
    const scheduled = [...handlers].filter(([, { message }]) => !message).map(([type]) => type);
    if (scheduled.length === 0) return;
    const stored = new Set((await this.engine.schedules([name])).map(({ id }) => id as string));
    const missing = scheduled.find((type) => !stored.has(type));
    if (missing === undefined) return;
    throw new DeclarationError(`the schedule '${missing}' is not stored: import SchedulerModule`);
  }
}
