import {
  Actor,
  CallsheetModule,
  DeclarationError,
  Handle,
  Message,
  On,
  OptionError,
  type Turn,
} from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Deployments } from './deployments.js';
import { At, Cron, Every } from './schedule.decorators.js';
import { ScheduledRun } from './scheduled.run.js';
import { SchedulerModule } from './scheduler.module.js';
import { Schedules } from './schedules.js';
import { ScheduleTroubled } from './schedule.trouble.js';
import { DeclaredScheduleError, ScheduleExistsError } from './scheduler.errors.js';

const HOUR = 3_600_000;

class SendReport extends Message('report.send', z.object({ to: z.string() })) {}

async function staged(providers: object[] = []): Promise<TestCallsheet> {
  const t = await TestCallsheet.create({
    imports: [SchedulerModule],
    providers: providers as never,
  });
  onTestFinished(() => t.close());
  await t.drain();
  return t;
}

function reporter() {
  const sent: { to: string; at: number; turn: Turn }[] = [];
  @Actor({ retry: { attempts: 2, delay: '1s', jitter: 0 } })
  class Reporter {
    @Handle(SendReport) send({ to }: SendReport, turn: Turn): void {
      if (to === 'nobody') throw new Error('nobody is there');
      sent.push({ to, at: turn.now.getTime(), turn });
    }
  }
  return { sent, Reporter };
}

describe('a schedule made over Schedules', () => {
  it('sends its message at each occurrence, with its nominal time', async () => {
    const { sent, Reporter } = reporter();
    const t = await staged([Reporter]);
    const schedules = t.get(Schedules);
    const made = schedules.create('weekly', {
      every: '1h',
      message: new SendReport({ to: 'all' }),
      tags: ['money'],
      description: 'the weekly report',
    });
    await t.drain();
    expect(await made).toMatchObject({
      id: 'weekly',
      state: 'active',
      message: { type: 'report.send', data: { to: 'all' } },
      tags: ['money'],
      running: [],
    });
    await t.advance(3 * HOUR);
    expect(sent.map(({ to }) => to)).toEqual(['all', 'all', 'all']);
    const [first] = sent;
    expect(first?.turn.occurrence?.getTime()).toBe(first?.at);
    expect(first?.turn.headers).toEqual({ schedule: 'weekly', 'schedule-reason': 'scheduled' });
    const history = await schedules.history('weekly');
    expect(history.map((each) => ('outcome' in each ? each.outcome : each.what))).toEqual([
      'succeeded',
      'fired',
      'succeeded',
      'fired',
      'succeeded',
      'fired',
      'created',
    ]);
    expect(history[0]).toMatchObject({ kind: 'end', attempts: 1, drift: 0 });
  });
});
