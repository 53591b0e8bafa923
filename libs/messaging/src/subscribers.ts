import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from './clock.js';
import { ENGINE, type Engine } from './engine.js';

/** How long a look-up is remembered, ms: so long a new subscriber may miss events of other processes. */
const REMEMBERED = 1_000;

/** Who subscribes to which event, as the store has it. */
@Injectable()
export class Subscribers {
  private readonly known = new Map<string, { at: number; actors: Promise<readonly string[]> }>();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The actors that get a copy of events of this type, sorted. */
  of(type: string): Promise<readonly string[]> {
    const now = this.clock.now();
    const known = this.known.get(type);
    if (known && now - known.at < REMEMBERED) return known.actors;
    const actors = this.engine.subscribers(type);
    this.known.set(type, { at: now, actors });
    // A failed look-up is not remembered.
    actors.catch(() => this.known.delete(type));
    return actors;
  }

  /** Makes `types` the events of which `actor` gets copies. */
  async set(actor: string, types: readonly string[]): Promise<void> {
    await this.engine.subscribe(actor, types);
    this.known.clear();
  }
}
