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
    // A clock that was set back must not make it remembered for longer.
    if (known && Math.abs(now - known.at) < REMEMBERED) return known.actors;
    const latest = { at: now, actors: this.engine.subscribers(type) };
    this.known.set(type, latest);
    // A failed look-up is not remembered; a later one that did not fail is.
    latest.actors.catch(() => {
      if (this.known.get(type) === latest) this.known.delete(type);
    });
    return latest.actors;
  }

  /** Makes `types` the events of which `actor` gets copies. */
  async set(actor: string, types: readonly string[]): Promise<void> {
    this.known.clear();
    await this.engine.subscribe(actor, types);
    this.known.clear();
  }
}
