import { Actor, Handle, Message, On, RetryLaterError, type Turn } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { HistoryEntry } from '../../libs/scheduler/src/schedule.history.js';
import type { ScheduleInput } from '../../libs/scheduler/src/schedule.input.js';
import { ScheduleTroubled } from '../../libs/scheduler/src/schedule.trouble.js';
import { SchedulerModule } from '../../libs/scheduler/src/scheduler.module.js';
import { Schedules } from '../../libs/scheduler/src/schedules.js';

export const HOUR = 3_600_000;

export class SendReport extends Message('report.send', z.object({ to: z.string() }), {
  reply: z.object({ rows: z.number() }),
}) {}

/** An application with schedules, and an actor that a schedule may send to. */
export async function staged() {
  const sent: { to: string; turn: Turn }[] = [];
  const told: ScheduleTroubled[] = [];

  @Actor({ retry: { attempts: 2, delay: '1s', jitter: 0 } })
  class Reporter {
    @Handle(SendReport) send({ to }: SendReport, turn: Turn): { rows: number } {
      sent.push({ to, turn });
      if (to === 'nobody') throw new Error('nobody is there');
      if (to === 'slow' && turn.attempt === 1) throw new RetryLaterError('wait', { after: '40s' });
      return { rows: sent.length };
    }
  }

  @Actor({ name: 'alerts' })
  class Alerts {
    @On(ScheduleTroubled) tell(trouble: ScheduleTroubled): void {
      told.push(trouble);
    }
  }

  const t = await TestCallsheet.create({
    imports: [SchedulerModule],
    providers: [Reporter, Alerts],
  });
  onTestFinished(() => t.close());
  await t.drain();
  const schedules = t.get(Schedules);
  /** Waits for an answer that comes when the actor has had its turn. */
  const drained = async <T>(asked: Promise<T>): Promise<T> => {
    void asked.catch(() => undefined);
    await t.drain();
    return asked;
  };
  const hourly = (more: Partial<ScheduleInput> = {}): ScheduleInput => ({
    every: '1h',
    message: new SendReport({ to: 'all' }),
    ...more,
  });
  return { t, sent, told, schedules, drained, hourly };
}

/** What happened, oldest first. */
export function toldOf(history: HistoryEntry[]): string[] {
  return history.map((entry) => ('outcome' in entry ? entry.outcome : entry.what)).reverse();
}
