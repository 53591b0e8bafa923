import { Actor, Handle, Message, On, type Turn } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import {
  Cron,
  Every,
  ScheduledRun,
  SchedulerModule,
  Schedules,
  ScheduleTroubled,
} from '@callsheet/scheduler';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

@Injectable()
export class ReportDesk {
  readonly written: Date[] = [];
  readonly refreshed: { drift: number; key: string }[] = [];
  readonly custom: string[] = [];
  readonly alerts: string[] = [];
  readonly sent: string[] = [];

  write(day: Date, _since: Date | undefined): number {
    return this.written.push(day);
  }
}

export class ReportOptions {
  readonly cron = '0 12 1 * *';
  readonly tz = 'Asia/Tokyo';
}

@Actor({ name: 'reports' })
export class ReportActor {
  constructor(private readonly desk: ReportDesk) {}

  // Patterns, intervals, dates; what happens to late ones and to those that would overlap.
  @Cron('0 7 * * MON-FRI', { tz: 'Europe/Madrid', catchUp: 'latest', overlap: 'skip' })
  daily(run: ScheduledRun) {
    return { lines: this.desk.write(run.nominal, run.previous) };
  }

  @Every('1h', { timeout: '5m', pauseAfter: 3 })
  refresh(run: ScheduledRun, turn: Turn) {
    this.desk.refreshed.push({ drift: run.drift, key: turn.id });
  }

  // From a provider of your own.
  @Cron({ inject: [ReportOptions], use: (o: ReportOptions) => ({ cron: o.cron, tz: o.tz }) })
  custom(run: ScheduledRun) {
    this.desk.custom.push(run.schedule);
  }
}

export class SendWeekly extends Message('weekly.send', z.object({ team: z.string() })) {}

@Actor({ retry: { attempts: 1 } })
export class WeeklyActor {
  constructor(private readonly desk: ReportDesk) {}

  @Handle(SendWeekly)
  send({ team }: SendWeekly) {
    if (team === 'nobody') throw new Error('nobody reads it');
    this.desk.sent.push(team);
  }
}

@Injectable()
export class ReportPlanner {
  constructor(private readonly schedules: Schedules) {}

  async weekly(team: string) {
    await this.schedules.put(`weekly-${team}`, {
      cron: '30 16 * * FRI',
      tz: 'Europe/Madrid',
      exclude: { dates: ['12-25', '2027-01-01'] },
      message: new SendWeekly({ team }),
      tags: ['weekly'],
    });
  }

  async holidays(team: string, until: Date) {
    await this.schedules.pause(`weekly-${team}`, 'holidays', until);
  }

  async again(team: string, from: Date, to: Date) {
    return this.schedules.backfill(`weekly-${team}`, { from, to });
  }

  async lastRuns(team: string) {
    const history = await this.schedules.history(`weekly-${team}`, { limit: 20 });
    return history.flatMap((entry) => (entry.kind === 'end' ? [entry.outcome] : []));
  }
}

@Actor({ name: 'alerts' })
export class AlertActor {
  constructor(private readonly desk: ReportDesk) {}

  @On(ScheduleTroubled)
  tell({ schedule, kind, detail }: ScheduleTroubled) {
    this.desk.alerts.push(`${schedule} ${kind} ${detail}`);
  }
}

describe('schedules', () => {
  async function staged() {
    const t = await TestCallsheet.create({
      imports: [SchedulerModule],
      providers: [ReportDesk, ReportOptions, ReportActor, WeeklyActor, ReportPlanner, AlertActor],
      now: new Date('2026-12-21T00:00:00Z'),
    });
    await t.drain();
    const planner = t.get(ReportPlanner);
    const drained = async <T>(asked: Promise<T>): Promise<T> => {
      await t.drain();
      return asked;
    };
    return { t, planner, drained, desk: t.get(ReportDesk) };
  }

  it('in code run at their times', async () => {
    const { t, desk } = await staged();
    await t.advance('14d');
    expect(desk.written).toHaveLength(10);
    expect(desk.written[0]).toEqual(new Date('2026-12-21T06:00:00Z'));
    expect(desk.refreshed).toHaveLength(14 * 24);
    expect(desk.refreshed.every(({ drift }) => drift === 0)).toBe(true);
    expect(desk.custom).toEqual(['reports.custom']);
    await t.close();
  });

  it('as data are made, paused, repeated, and tell what became of their runs', async () => {
    const { t, desk, planner, drained } = await staged();
    await drained(planner.weekly('a'));
    await t.advance('7d');
    expect(desk.sent).toEqual([]);
    await drained(planner.holidays('a', new Date('2027-01-05T00:00:00Z')));
    await t.advance('28d');
    expect(desk.sent).toEqual(['a', 'a', 'a']);
    const [from, to] = [new Date('2026-12-01T00:00:00Z'), new Date('2026-12-20T00:00:00Z')];
    expect(await drained(planner.again('a', from, to))).toMatchObject({ count: 3 });
    expect(await planner.lastRuns('a')).toEqual(Array(6).fill('succeeded'));
    await t.close();
  });

  it('tell when something is wrong', async () => {
    const { t, desk, planner, drained } = await staged();
    await drained(planner.weekly('nobody'));
    await t.advance('30d');
    expect(desk.alerts[0]).toBe('weekly-nobody failing 1 in a row: nobody reads it');
    await t.close();
  });
});
