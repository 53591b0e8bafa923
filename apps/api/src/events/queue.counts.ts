import { ENGINE, MessageRegistry, type ActorCounts, type Engine } from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { knownActors } from '../actors/known.actor.js';

/** How many messages are in which state, by actor: looked up once for all who look on. */
@Injectable()
export class QueueCounts {
  private readonly logger = new Logger('Events');
  private readonly counts = new Map<string, ActorCounts>();
  private changed = new Map<string, ActorCounts>();
  private isLooking = false;

  constructor(
    private readonly registry: MessageRegistry,
    @Inject(ENGINE) private readonly engine: Engine,
  ) {}

  /** As they were seen last. */
  get all(): ReadonlyMap<string, ActorCounts> {
    return this.counts;
  }

  /** Those that have become others since they were taken last. */
  take(): ReadonlyMap<string, ActorCounts> {
    const { changed } = this;
    this.changed = new Map();
    return changed;
  }

  /** Looks again, one actor after the other; unless it still does. Never rejects. */
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      for (const actor of knownActors(this.registry)) {
        const counts = await this.engine.counts(actor);
        if (JSON.stringify(counts) === JSON.stringify(this.counts.get(actor))) continue;
        this.counts.set(actor, counts);
        this.changed.set(actor, counts);
      }
    } catch (error) {
      this.logger.debug(`queues cannot be counted: ${(error as Error).message}`);
    } finally {
      this.isLooking = false;
    }
  }

  /** Nobody looks on: what is known grows old. */
  forget(): void {
    this.counts.clear();
    this.changed.clear();
  }
}
