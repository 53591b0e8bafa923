import { CronExpressionParser, type CronExpression } from 'cron-parser';
import type { Clock } from '../../clock.js';
import type { ScheduleRecord, ScheduleSpec } from '../../engine.js';
import type { Envelope } from '../../envelope.js';

type Fire = (envelope: Envelope, nominal: number) => void;

interface Armed {
  record: ScheduleRecord;
  times: CronExpression;
  disarm?: () => void;
}

/** Cron schedules on timers of this process. */
export class MemorySchedules {
  private readonly known = new Map<string, Armed>();

  constructor(
    private readonly clock: Clock,
    private readonly fire: Fire,
  ) {}

  put(spec: ScheduleSpec): void {
    const known = this.known.get(spec.id);
    if (known && known.record.cron === spec.cron && known.record.tz === spec.tz) {
      known.record = { ...spec, next: known.record.next };
      return;
    }
    const currentDate = this.clock.now();
    const times = CronExpressionParser.parse(spec.cron, { tz: spec.tz, currentDate });
    known?.disarm?.();
    const armed = { record: { ...spec, next: undefined }, times };
    this.known.set(spec.id, armed);
    this.armNext(armed);
  }

  list(actors: readonly string[]): ScheduleRecord[] {
    return [...this.known.values()]
      .filter(({ record }) => actors.includes(record.actor))
      .map(({ record }) => ({ ...record }));
  }

  close(): void {
    for (const { disarm } of this.known.values()) disarm?.();
    this.known.clear();
  }

  private armNext(armed: Armed): void {
    armed.record.next = armed.times.next().getTime();
    this.arm(armed, armed.record.next);
  }

  private arm(armed: Armed, nominal: number): void {
    const wait = Math.max(0, nominal - this.clock.now());
    armed.disarm = this.clock.after(wait, () => this.due(armed, nominal));
  }

  private due(armed: Armed, nominal: number): void {
    // A timer of Node may ring a millisecond early.
    if (this.clock.now() < nominal) return this.arm(armed, nominal);
    const { id, actor, priority } = armed.record;
    this.fire(
      {
        id: `repeat:${id}:${nominal}`,
        type: id,
        version: 1,
        actor,
        data: {},
        priority,
        sentAt: nominal,
        headers: {},
      },
      nominal,
    );
    // Closed meanwhile?
    if (this.known.get(id) === armed) this.armNext(armed);
  }
}
