import { Actor, DeclarationError, type Turn } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable, Logger } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Deployments } from './deployments.js';
import { tzdataProblems } from './rule/index.js';
import { Cron, Every } from './schedule.decorators.js';
import { ScheduledRun } from './scheduled.run.js';
import { SchedulerModule } from './scheduler.module.js';
import { Schedules } from './schedules.js';
import { LookAfterSchedules } from './watchdog.actor.js';

const MINUTE = 60_000;

async function staged(providers: unknown[], imports: unknown[] = [SchedulerModule]) {
  const t = await TestCallsheet.create({
    imports: imports as never,
    providers: providers as never,
  });
  onTestFinished(() => t.close());
  await t.drain();
  return t;
}

describe('a method with a schedule', () => {
  it('gets its run: when, why, how late, what was before and what comes', async () => {
    const runs: ScheduledRun[] = [];
    const turns: Turn[] = [];
    @Actor({ name: 'clock', retry: { attempts: 2, delay: '5s', jitter: 0 } })
    class Clock {
      @Every('10m', { limit: 4 })
      tick(run: ScheduledRun, turn: Turn): { runs: number } {
        runs.push(run);
        turns.push(turn);
        if (runs.length === 2) throw new Error('once');
        return { runs: runs.length };
      }
    }
    const t = await staged([Clock]);
    await t.advance(50 * MINUTE);
    const [first, failed, again, last] = runs;
    expect(runs).toHaveLength(5);
    expect(first).toMatchObject({
      schedule: 'clock.tick',
      reason: 'scheduled',
      attempt: 1,
      drift: 0,
      previous: undefined,
      last: undefined,
    });
    const at = (n: number) => new Date((first?.nominal.getTime() ?? 0) + n * 10 * MINUTE);
    expect(first?.next).toEqual([at(1), at(2), at(3)]);
    expect(failed).toMatchObject({ nominal: at(1), previous: at(0), attempt: 1 });
    expect(failed?.last).toMatchObject({ outcome: 'succeeded', result: { runs: 1 } });
    expect(again).toMatchObject({ nominal: at(1), attempt: 2, drift: 5_000 });
    expect(last).toMatchObject({ nominal: at(2), next: [at(3)] });
    expect(turns[0]).toMatchObject({ id: `run:clock.tick:${at(0).getTime()}`, occurrence: at(0) });
    expect(await t.get(Schedules).get('clock.tick')).toMatchObject({
      state: 'finished',
      owner: 'clock',
    });
  });

  it('may be of any provider, and have its options from another', async () => {
    const runs: string[] = [];
    class Settings {
      readonly interval = '1h';
    }
    @Injectable()
    class ReportService {
      @Every({ inject: [Settings], use: (s: Settings) => ({ every: s.interval as '1h' }) })
      report(run: ScheduledRun): void {
        runs.push(run.schedule);
      }

      @Cron({ inject: [], use: () => undefined })
      never(): void {}

      @Cron('* * * * *', { disabled: true })
      disabled(): void {}
    }
    const t = await staged([ReportService, Settings]);
    await t.advance(60 * MINUTE);
    expect(runs).toEqual(['report-service.report']);
    expect((await t.get(Schedules).list()).map(({ id }) => id)).toEqual(['report-service.report']);
  });

  it('needs SchedulerModule', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      @Cron('* * * * *') tick(): void {}
    }
    await expect(staged([Clock], [])).rejects.toThrow(
      new DeclarationError(
        "'clock.tick' is sent by the actor 'schedules', which is not here: import SchedulerModule",
      ),
    );
  });

  it('has an id of its own', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      @Cron('* * * * *', { name: 'x' }) tick(): void {}
      @Cron('* * * * *', { name: 'x' }) tock(): void {}
    }
    await expect(staged([Clock])).rejects.toThrow(/two schedules have the id 'x'/);
  });

  it('with options from providers that are wrong stops the start', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      @Cron({ inject: [], use: () => ({ cron: '* * * *' }) }) tick(): void {}
    }
    await expect(staged([Clock])).rejects.toThrow('@Cron tick.cron');
  });
});

describe('Deployments', () => {
  it('warns at start of zones that this Node does not know well, if schedules are in them', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      @Cron('0 7 * * *', { tz: 'America/Havana' }) havana(): void {}
      @Cron('0 8 * * *', { tz: 'America/Havana' }) later(): void {}
      @Cron('0 7 * * *', { tz: 'UTC' }) utc(): void {}
    }
    const warnings: unknown[] = [];
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation((text: unknown) => {
      warnings.push(text);
    });
    await staged([Clock]);
    warn.mockRestore();
    expect(warnings).toEqual(tzdataProblems('America/Havana'));
  });

  it('plans without changing anything, and applies when told', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      @Every('1h') tick(): void {}
      @Every('2h') tock(): void {}
    }
    const t = await staged([Clock], [SchedulerModule.forRoot({ apply: 'manually' })]);
    const deployments = t.get(Deployments);
    expect(await t.get(Schedules).list()).toEqual([]);
    const created = [
      { change: 'create', id: 'clock.tick', actor: 'clock' },
      { change: 'create', id: 'clock.tock', actor: 'clock' },
    ];
    expect(await deployments.plan()).toEqual(created);
    await deployments.apply();
    await t.drain();
    expect(await t.get(Schedules).list()).toHaveLength(2);
    expect((await deployments.plan()).map(({ change }) => change)).toEqual(['keep', 'keep']);
    expect(() => SchedulerModule.forRoot({ apply: 'never' as never })).toThrow('apply');
    expect(() => SchedulerModule.forRoot({ nonsense: 1 } as never)).toThrow('is not an option');
  });
});

describe('a process', () => {
  it.each(['start', 'manually'] as const)(
    'that applies %s has the schedules looked after',
    async (apply) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const tell = vi.fn<(...told: unknown[]) => void>();
      const deployments = new Deployments(
        { actors: () => [], consumes: true } as never,
        { tell } as never,
        {} as never,
        {} as never,
        { queue: () => undefined } as never,
        { now: () => Date.now() } as never,
        { apply },
      );
      onTestFinished(() => deployments.beforeApplicationShutdown());
      await deployments.onApplicationBootstrap();
      await vi.advanceTimersByTimeAsync(8_000);
      expect(tell.mock.calls).toMatchObject([[expect.any(LookAfterSchedules), {}]]);
    },
  );
});

describe('ninety-one days', () => {
  it('pass at once, with retries', async () => {
    const runs: string[] = [];
    @Actor({ name: 'clock', retry: { attempts: 3, delay: '10m' } })
    class Clock {
      @Cron('0 7 * * *') daily({ nominal, attempt }: ScheduledRun): void {
        if (attempt === 1 && nominal.getUTCDay() === 0) throw new Error('not on Sundays');
        runs.push(nominal.toISOString());
      }
    }
    const t = await staged([Clock]);
    await t.advance('91d');
    expect(runs).toHaveLength(91);
    expect(runs.at(-1)).toBe('2026-04-01T07:00:00.000Z');
  });
});
