import { CronExpressionParser } from 'cron-parser';
import type { ScheduleRecord, ScheduleSpec } from '../../engine.js';
import type { Envelope } from '../../envelope.js';

type Fire = (envelope: Envelope, nominal: number) => void;

/** Cron schedules on timers of this process. */
export class MemorySchedules {
  private readonly known = new Map<string, ScheduleRecord & { timer?: NodeJS.Timeout }>();

  constructor(private readonly fire: Fire) {}

  put(spec: ScheduleSpec): void {
    const known = this.known.get(spec.id);
    if (known && known.cron === spec.cron && known.tz === spec.tz) return;
    clearTimeout(known?.timer);
    this.known.set(spec.id, { ...spec, next: undefined });
    this.arm(spec.id, Date.now());
  }

  list(actors: readonly string[]): ScheduleRecord[] {
    return [...this.known.values()]
      .filter(({ actor }) => actors.includes(actor))
      .map(({ timer: _, ...record }) => record);
  }

  close(): void {
    for (const { timer } of this.known.values()) clearTimeout(timer);
    this.known.clear();
  }

  private arm(id: string, after: number): void {
    const schedule = this.known.get(id);
    if (!schedule) return;
    const next = CronExpressionParser.parse(schedule.cron, { tz: schedule.tz, currentDate: after })
      .next()
      .getTime();
    schedule.next = next;
    schedule.timer = setTimeout(() => this.due(id, next), Math.min(next - Date.now(), 2 ** 31 - 1));
    schedule.timer.unref();
  }

  private due(id: string, nominal: number): void {
    const schedule = this.known.get(id);
    if (!schedule) return;
    if (Date.now() < nominal) return this.arm(id, Date.now());
    this.fire(
      {
        id: `repeat:${id}:${nominal}`,
        type: schedule.id,
        version: 1,
        actor: schedule.actor,
        data: {},
        priority: schedule.priority,
        sentAt: nominal,
        headers: {},
      },
      nominal,
    );
    this.arm(id, nominal);
  }
}
