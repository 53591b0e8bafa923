import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  InvalidStateError,
  Keys,
  Message,
  NewerVersionError,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { ScheduleActor } from './schedule.actor.js';
import { CheckSchedule } from './schedule.messages.js';
import { stateProblem } from './schedule.health.js';
import type { ScheduleState } from './schedule.state.js';
import { ScheduleTroubled } from './schedule.trouble.js';
import { FAILED, SCHEDULES, timerProblem } from './timer.js';

/** Name of the actor that looks. */
export const WATCHDOG = 'schedule-watchdog';

/** All schedules are looked at within this many looks. */
export const PARTS = 3;
/** How many schedules each look takes whole; of those beyond it takes its part. */
const WHOLE = 1_000;
/** How many are read at once, and how many pages there may be. */
const PAGE = 500;
const MOST_PAGES = 2_000;
/** A look that is begun so long after it was asked for is left out, ms. */
const STALE = 60_000;

/** Looks whether every schedule has its timer. */
export class LookAfterSchedules extends Message(
  'schedule-watchdog.look',
  z.object({ part: z.number() }),
) {}

/**
 * Finds schedules whose timer is missing, overdue or wrong, whatever the reason: somebody has removed its message, has written
 * over its state, or the store has lost it. It tells each to look after itself; that turn arms the timer, and says so.
 */
@Actor({ retry: { attempts: 5 } })
export class WatchdogActor {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    @Inject(ENGINE) private readonly engine: Engine,
  ) {}

  @Handle(LookAfterSchedules, { timeout: '1m' })
  async look({ part }: LookAfterSchedules, { now, sentAt, signal }: Turn): Promise<void> {
    // Nobody was here to look in time: others look by now.
    if (sentAt.getTime() < now.getTime() - STALE) return;
    let after: string | undefined;
    let count = 0;
    for (let page = 0; page < MOST_PAGES && !signal.aborted; page++) {
      const found = await this.page(after);
      const mine = found.filter(() => count++ < WHOLE || count % PARTS === part);
      await Promise.all(
        mine.map(async ({ key, state }) => {
          const problem = await this.problemOf(key, state, now.getTime());
          if (problem !== undefined) await this.call(key, problem, now.getTime());
        }),
      );
      after = found.at(-1)?.key;
      if (found.length < PAGE) return;
    }
  }

  /** Has it look after itself: once in a minute, because what keeps its timer from its turn may keep this from its own. */
  private async call(key: string, problem: string, now: number): Promise<void> {
    const id = `check:${key}:${Math.floor(now / 60_000)}`;
    await this.actors.tell(new CheckSchedule({ key }), { id, priority: 'critical' });
    if (!problem.startsWith(FAILED)) return;
    const trouble = new ScheduleTroubled({ schedule: key, kind: 'dead', detail: problem });
    await this.actors.publish(trouble, { id: `stuck:${key}:${Math.floor(now / 3_600_000)}` });
  }

  private async problemOf(
    key: string,
    state: ScheduleState | undefined,
    now: number,
  ): Promise<string | undefined> {
    if (!state) return undefined;
    return stateProblem(state, now) ?? timerProblem(this.engine, key, state, now);
  }

  /** Schedules behind `after`. Without state: one that cannot be read, by this process at least. */
  private async page(after: string | undefined): Promise<{ key: string; state?: ScheduleState }[]> {
    const page = { limit: PAGE, ...(after !== undefined && { after }) };
    try {
      return await this.keys.states(ScheduleActor, page);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    // One of them: the others are looked after all the same.
    const found = await this.engine.states(SCHEDULES, page);
    return Promise.all(found.map(({ key, state }) => this.single(key, state.revision)));
  }

  private async single(key: string, revision: number) {
    try {
      const state = await this.keys.state(ScheduleActor, key);
      return { key, ...(state && { state }) };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      // A newer release will read it.
      if (error instanceof NewerVersionError) return { key };
      const detail = `its state cannot be read: ${error.message}`.slice(0, 500);
      const trouble = new ScheduleTroubled({ schedule: key, kind: 'dead', detail });
      await this.actors.publish(trouble, { id: `unreadable:${key}:${revision}`.slice(0, 130) });
      return { key };
    }
  }
}

function isUnreadable(error: unknown): error is InvalidStateError | NewerVersionError {
  return error instanceof InvalidStateError || error instanceof NewerVersionError;
}
