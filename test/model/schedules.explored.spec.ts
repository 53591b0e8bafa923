import {
  CallsheetModule,
  CLOCK,
  ENGINE,
  Actor,
  Handle,
  Message,
  RejectError,
  RetryLaterError,
  type Turn,
} from '@callsheet/messaging';
import { explore, ExplorationError, type TestCallsheet } from '@callsheet/messaging/testing';
import {
  OVERLAPS,
  SchedulerModule,
  Schedules,
  type CatchUp,
  type Overlap,
} from '@callsheet/scheduler';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { seededRandom } from '../../libs/messaging/src/testing/seeded.random.js';
import type { TestEngine } from '../../libs/messaging/src/testing/test.engine.js';
import type { VirtualClock } from '../../libs/messaging/src/testing/virtual.clock.js';
import { checkRule, type ScheduleRule } from '../../libs/scheduler/src/rule/index.js';
import { Schedule } from '../../libs/scheduler/src/schedule.js';
import type { OccurrenceRow, ScheduleRow } from '../../libs/scheduler/src/schedule.journal.js';
import type { ScheduleState } from '../../libs/scheduler/src/schedule.state.js';
import { unaccounted, type Span } from '../support/schedule.oracle.js';
import { CATCH_UPS } from '../support/schedule.stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

class Work extends Message('works.work', z.object({ takes: z.number() })) {}

/**
 * Its runs take some time, and some of them fail. They wait between two attempts: a turn that waits would take real time for the
 * explorer to find out that it does.
 */
@Actor({ name: 'works', concurrency: 100, retry: { attempts: 3 } })
class Worker {
  @Handle(Work) work({ takes }: Work, { occurrence, attempt }: Turn): void {
    const minute = Math.floor((occurrence?.getTime() ?? 0) / MINUTE);
    const after = (minute % 3) * takes;
    if (attempt === 1 && after > 0) throw new RetryLaterError('it takes longer', { after });
    if (minute % 7 === 0) throw new RejectError('every seventh fails');
    if (minute % 5 === 0 && attempt < 3) throw new RetryLaterError('again', { after: MINUTE });
  }
}

const RULES: ScheduleRule[] = [
  { every: '17m' },
  { every: '1h', window: '20m' },
  { cron: '*/30 * * * *', tz: 'Europe/Madrid' },
  { every: '25m', phase: '1m' },
];

/** A life of a schedule that the seed chooses, and what must be true at its end. */
async function live(t: TestCallsheet, seed: number): Promise<void> {
  const random = seededRandom(seed * 7_919);
  const below = (n: number): number => Math.floor(random() * n);
  const schedules = t.get(Schedules);
  // On a store that processes share some ends of runs are told later.
  if (seed % 2 === 0) Object.assign(t.get<TestEngine>(ENGINE).store, { shared: true });
  const clock = t.get<VirtualClock>(CLOCK);
  const policies = {
    overlap: OVERLAPS[below(OVERLAPS.length)] as Overlap,
    catchUp: CATCH_UPS[below(CATCH_UPS.length)] as CatchUp,
    timeout: '40m',
    pauseAfter: 3,
  } as const;
  const message = new Work({ takes: below(12) * MINUTE });
  const spans: Span[] = [];
  let current: number | undefined;
  const put = async (which: number): Promise<void> => {
    const rule = RULES[which] as ScheduleRule;
    const { outcome } = await schedules.put('s', { ...rule, ...policies, message });
    if (outcome === 'unchanged' || current === which) return;
    current = which;
    spans.push({ rule: checkRule(rule, '', 's'), from: t.now.getTime() });
  };

  await put(below(4));
  for (let steps = 3 + below(4); steps > 0; steps--) {
    switch (below(13)) {
      case 10:
      case 11:
      case 12: {
        // To just before the next occurrence: its run has been sent, and what follows may take it back.
        const { next } = (await schedules.get('s')) ?? {};
        const wait = (next?.getTime() ?? 0) - t.now.getTime() - (1 + below(9)) * 1_000;
        if (wait > 0) await t.advance(wait);
        break;
      }
      case 0:
      case 1:
      case 2:
        await t.advance((1 + below(60)) * MINUTE);
        break;
      case 3:
      case 4:
        // Nobody is there.
        await clock.advance((1 + below(5 * 60)) * MINUTE);
        break;
      case 5: {
        const until = new Date(t.now.getTime() + (1 + below(120)) * MINUTE);
        await schedules.pause('s', 'test', ...(below(2) ? [until] : []));
        break;
      }
      case 6:
        await schedules.resume('s');
        break;
      case 7:
        await put(below(4));
        break;
      case 8:
        await schedules.trigger('s');
        break;
      case 9: {
        const to = new Date(t.now.getTime() - below(60) * MINUTE);
        const from = new Date(to.getTime() - (1 + below(120)) * MINUTE);
        await schedules.backfill('s', { from, to, parallel: below(2) === 0 });
        break;
      }
    }
  }
  await schedules.resume('s');
  await t.advance(HOUR);
  await schedules.pause('s', 'the end');
  // Of what waits one run begins whenever another ends.
  for (let rounds = 0; rounds < 300; rounds++) {
    const { buffered = 0, running = [] } = (await schedules.get('s')) ?? {};
    if (buffered + running.length === 0) break;
    if (running.length === 0) await resumeBriefly();
    await t.advance(HOUR / 2);
  }
  await judge();

  async function resumeBriefly(): Promise<void> {
    await schedules.resume('s');
    await schedules.pause('s', 'the end');
  }

  async function judge(): Promise<void> {
    const engine = t.get<TestEngine>(ENGINE);
    const rows = (await engine.journal('schedules', 's', { limit: 3_000 }))
      .map(({ row }) => row as unknown as ScheduleRow)
      .reverse();
    const { data } = (await engine.state('schedules', 's')) ?? {};
    const { watermark, buffer } = data as unknown as ScheduleState;
    expect(buffer).toEqual([]);
    expect(unaccounted(rows, spans, watermark)).toEqual([]);
    const started = rows.filter((row): row is OccurrenceRow => 'run' in row && row.kind !== 'end');
    const ids = started.map(({ run = '' }) => run);
    expect(new Set(ids).size).toBe(ids.length);
    const sent = new Set(engine.sentOf('works.work').map(({ id }) => id));
    expect(ids.filter((id) => !sent.has(id))).toEqual([]);
    // Sent before their time, and taken back.
    for (const id of [...sent].filter((each) => !ids.includes(each))) {
      const record = await engine.find(id, ['works']);
      expect([id, record?.state, record?.startedAt]).toEqual([id, 'cancelled', undefined]);
    }
    for (const id of ids) {
      const record = await engine.find(id, ['works']);
      expect(['done', 'dead', 'cancelled']).toContain(record?.state);
    }
    const ends = rows.flatMap((row) => (row.kind === 'end' ? [row.run] : []));
    expect(ends.sort()).toEqual(ids.sort());
    expect(rows.filter((row) => row.kind === 'note' && row.what === 'healed')).toEqual([]);
    expect(t.dead.filter(({ envelope }) => envelope.actor !== 'works')).toEqual([]);
  }
}

async function explored(seeds: number, from = 1): Promise<void> {
  for (let seed = from; seed < from + seeds; seed++) {
    const crash = (['around-commit', 'everywhere', false] as const)[seed % 3] ?? false;
    // What is judged at the end is looked up then.
    const store = CallsheetModule.forRoot({
      url: 'memory:',
      keepDone: { age: '365d', count: 100_000 },
    });
    const options = { imports: [store, SchedulerModule], providers: [Worker], seed, crash };
    await explore(options, (t) => live(t, Number(process.env['CALLSHEET_SEED'] ?? seed)));
  }
}

afterEach(() => vi.restoreAllMocks());

/** Puts something else in place of a step of a schedule. */
function broken(
  step: 'settle' | 'carryOut',
  make: (
    schedule: Schedule,
    step: (...args: unknown[]) => unknown,
  ) => (...args: never[]) => unknown,
): void {
  const prototype = Schedule.prototype as unknown as Record<string, (...a: unknown[]) => unknown>;
  const before = prototype[step] as (...args: unknown[]) => unknown;
  vi.spyOn(prototype, step).mockImplementation(function (this: unknown, ...args: unknown[]) {
    const schedule = this as Schedule;
    return make(schedule, before.bind(schedule))(...(args as never[]));
  });
}

describe('random lives of a schedule, in random order, with crashes', () => {
  const seeds = Number(process.env['SCHEDULE_SEEDS'] ?? 100);
  it(`every occurrence is accounted for, and each run comes to one end: ${seeds} seeds`, async () => {
    await expect(explored(seeds)).resolves.toBeUndefined();
  }, 600_000);

  it('sees a schedule that drops what came due while nobody was there', async () => {
    broken('settle', ({ state, now }, settle) => () => {
      if (state.watermark < now - HOUR) state.watermark = now - HOUR;
      return settle();
    });
    await expect(explored(50)).rejects.toThrow(ExplorationError);
  }, 60_000);

  it('sees a schedule that decides an occurrence twice', async () => {
    let decisions = 0;
    broken('carryOut', (_, carryOut) => (decision: unknown) => {
      carryOut(decision);
      if (decisions++ % 20 === 19) carryOut(decision);
    });
    await expect(explored(50)).rejects.toThrow(ExplorationError);
  }, 60_000);
});
