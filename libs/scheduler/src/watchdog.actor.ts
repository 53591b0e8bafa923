import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  Keys,
  Message,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { ScheduleActor } from './schedule.actor.js';
import { CheckSchedule } from './schedule.messages.js';
import { timerProblem } from './timer.js';

/** Name of the actor that looks. */
export const WATCHDOG = 'schedule-watchdog';

/** All schedules are looked at within this many looks. */
export const PARTS = 3;
/** How many schedules each look takes whole; of those beyond it takes its part. */
const WHOLE = 1_000;
/** How many are read at once, and how many pages there may be. */
const PAGE = 500;
const MOST_PAGES = 2_000;

/** Looks whether every schedule has its timer. */
export class LookAfterSchedules extends Message(
  'schedule-watchdog.look',
  z.object({ part: z.number() }),
) {}

/**
 * Finds schedules whose timer is missing, overdue or wrong, whatever the reason: somebody has removed its message, has written
 * over its state, or the store has lost it. It tells each to look after itself; that turn arms the timer, and says so.
 */
@Actor({ retry: { attempts: 1 } })
export class WatchdogActor {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    @Inject(ENGINE) private readonly engine: Engine,
  ) {}

  @Handle(LookAfterSchedules, { timeout: '1m' })
  async look({ part }: LookAfterSchedules, { now, signal }: Turn): Promise<void> {
    let after: string | undefined;
    let count = 0;
    for (let page = 0; page < MOST_PAGES && !signal.aborted; page++) {
      const found = await this.keys.states(ScheduleActor, {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      const mine = found.filter(() => count++ < WHOLE || count % PARTS === part);
      await Promise.all(
        mine.map(async ({ key, state }) => {
          const problem = await timerProblem(this.engine, key, state, now.getTime());
          if (problem === undefined) return;
          await this.actors.tell(new CheckSchedule({ key }), { priority: 'critical' });
        }),
      );
      after = found.at(-1)?.key;
      if (found.length < PAGE) return;
    }
  }
}
