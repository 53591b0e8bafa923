import {
  Actors,
  CLOCK,
  ENGINE,
  MessageRegistry,
  Pauses,
  type Clock,
  type Engine,
} from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ProblemError } from '../problem.js';
import { Sing } from './canary.actor.js';

/** How long the canary's turn may take, milliseconds: less than the usual timeout of a probe. */
const PATIENCE = 2_000;
/** For how long one turn answers for all who ask, milliseconds. */
const FRESH = 1_000;
/** For how long one look at what waits answers for all who ask, milliseconds. */
const LOOK_FRESH = 5_000;

/** Tells whether messages are handled, not only whether the store answers. */
@Injectable()
export class Readiness {
  private readonly logger = new Logger('Callsheet');
  private last?: { at: number; turn: Promise<number> };
  private look?: { at: number; ages: Promise<ReadonlyMap<string, number>> };
  private told?: string;

  constructor(
    private readonly actors: Actors,
    private readonly registry: MessageRegistry,
    private readonly pauses: Pauses,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Has a message handled by one of the API's processes: what was asked a moment ago answers too.
   *
   * @returns how long it took, milliseconds
   * @throws ProblemError not_ready, when that was not within two seconds
   */
  async turn(): Promise<number> {
    const now = performance.now();
    if (!this.last || now - this.last.at > FRESH) this.last = { at: now, turn: this.sing(now) };
    try {
      return await this.last.turn;
    } catch (cause) {
      throw new ProblemError('not_ready', 'no turn was committed within two seconds', { cause });
    }
  }

  /**
   * Requires that no message that is ready has waited for longer than `limit` milliseconds, those of paused actors aside. Which actors
   * are late is for the log: whoever asks may be anybody.
   *
   * @throws ProblemError not_ready
   */
  async requireTaken(limit: number): Promise<void> {
    const now = performance.now();
    if (!this.look || now - this.look.at > LOOK_FRESH) this.look = { at: now, ages: this.ages() };
    const late = [...(await this.look.ages)].filter(([, age]) => age > limit);
    if (late.length === 0) return;
    this.tell(late.map(([actor, age]) => `${actor} (${Math.round(age / 1_000)} s)`).join(', '));
    throw new ProblemError(
      'not_ready',
      'a message that could be handled has waited for longer: is a worker running?',
    );
  }

  /** How long the oldest message has waited, by actor. */
  private async ages(): Promise<Map<string, number>> {
    const paused = await this.pauses.all();
    const ages = new Map<string, number>();
    // One after the other: it must not take all connections of a store that is busy.
    for (const actor of this.registry.actors()) {
      const since = paused.has(actor) ? undefined : await this.engine.oldest(actor);
      if (since !== undefined) ages.set(actor, this.clock.now() - since);
    }
    return ages;
  }

  private tell(late: string): void {
    if (late === this.told) return;
    this.told = late;
    this.logger.warn(`the oldest message has waited too long for ${late}`);
  }

  private async sing(start: number): Promise<number> {
    await this.actors.ask(new Sing({}), { timeout: PATIENCE });
    return performance.now() - start;
  }
}
