import {
  Actors,
  CLOCK,
  ENGINE,
  MessageRegistry,
  Pauses,
  type Clock,
  type Engine,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { ProblemError } from '../problem.js';
import { Sing } from './canary.actor.js';

/** How long the canary's turn may take, milliseconds: less than the usual timeout of a probe. */
const PATIENCE = 2_000;
/** For how long one turn answers for all who ask, milliseconds. */
const FRESH = 1_000;

/** Tells whether messages are handled, not only whether the store answers. */
@Injectable()
export class Readiness {
  private last?: { at: number; turn: Promise<number> };

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
   * Requires that no message that is ready has waited for longer than `limit` milliseconds, those of paused actors aside.
   *
   * @throws ProblemError not_ready, naming the actors
   */
  async requireTaken(limit: number): Promise<void> {
    const paused = await this.pauses.all();
    const running = this.registry.actors().filter((actor) => !paused.has(actor));
    const ages = await Promise.all(
      running.map(async (actor) => {
        const since = await this.engine.oldest(actor);
        return { actor, age: since === undefined ? 0 : this.clock.now() - since };
      }),
    );
    const late = ages.filter(({ age }) => age > limit).sort((a, b) => b.age - a.age);
    if (late.length === 0) return;
    const names = late.map(({ actor, age }) => `${actor} (${Math.round(age / 1_000)} s)`);
    throw new ProblemError(
      'not_ready',
      `the oldest message has waited too long for ${names.join(', ')}: is a worker running?`,
    );
  }

  private async sing(start: number): Promise<number> {
    await this.actors.ask(new Sing({}), { timeout: PATIENCE });
    return performance.now() - start;
  }
}
