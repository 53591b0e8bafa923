import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  Message,
  On,
  type Duration,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import {
  Cron,
  nextOccurrence,
  ScheduledRun,
  SchedulerModule,
  Schedules,
  ScheduleTroubled,
  type HistoryEntry,
} from '@callsheet/scheduler';
import type { INestApplicationContext } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { expect } from 'vitest';
import { z } from 'zod';
import { ScheduleDue } from '../../libs/scheduler/src/schedule.messages.js';
import type { ScheduleState } from '../../libs/scheduler/src/schedule.state.js';
import { eventually } from '../support/eventually.js';
import type { Vandal } from './vandal.js';

/** Comes due when all is over. */
const FAR = 'far';
/** Within which every damage must be repaired. */
const BOUND = 30_000;
const OFTEN = { overlap: 'allow', grace: '5m', catchUp: 'all' } as const;

class Beat extends Message('beats.beat', z.object({ of: z.string() })) {}

/** Each run that was seen, by its id: how often, and of what nominal time. */
class Ledger {
  readonly runs = new Map<string, { schedule: string; nominal: number; count: number }>();
  readonly troubles: ScheduleTroubled[] = [];

  ran({ id, occurrence, headers }: Turn): void {
    const nominal = occurrence?.getTime() ?? 0;
    const run = this.runs.get(id) ?? { schedule: headers['schedule'] ?? '', nominal, count: 0 };
    run.count++;
    this.runs.set(id, run);
  }
}

/** What is done to a schedule, and what it must say of it. */
interface Damage {
  id: string;
  /** Of a schedule that is made for it; else it is declared. */
  every?: Duration;
  /** Made so late that it has not rung before it is damaged, and does not for some seconds. */
  isNew?: true;
  act: (hand: Hand) => Promise<void>;
  /** Default: 'healed'. */
  told?: 'dead';
}

/** What somebody does who has a dashboard and a client of the store. */
interface Hand {
  id: string;
  app: INestApplicationContext;
  /** Changes the stored state as one does who has read it before. */
  edit(change: (state: ScheduleState) => unknown): Promise<void>;
  drop(): Promise<void>;
  /** The timer, when it is the kind of job that can be harmed. */
  timer(): Promise<Job>;
}

const DAMAGES: readonly Damage[] = [
  {
    id: 'timer-removed',
    every: '30s',
    isNew: true,
    act: async (hand) => (await hand.timer()).remove(),
  },
  {
    id: 'timer-delayed',
    every: '30s',
    isNew: true,
    act: async (hand) => (await hand.timer()).changeDelay(3_600_000),
  },
  {
    id: 'timer-promoted',
    every: '30s',
    isNew: true,
    act: async (hand) => (await hand.timer()).promote(),
  },
  {
    id: 'timer-forgotten',
    every: '30s',
    isNew: true,
    act: (hand) => hand.edit((state) => ({ ...state, timer: undefined })),
  },
  {
    id: 'timer-in-the-past',
    every: '30s',
    isNew: true,
    act: (hand) => hand.edit((state) => ({ ...state, timer: Date.now() - 60_000 })),
  },
  {
    id: 'watermark-in-the-past',
    every: '4s',
    act: (hand) => hand.edit((state) => ({ ...state, watermark: state.watermark - 60_000 })),
  },
  {
    id: 'watermark-in-the-future',
    every: '4s',
    act: (hand) => hand.edit((state) => ({ ...state, watermark: state.watermark + 3_600_000 })),
  },
  {
    id: 'second-timer',
    every: '4s',
    act: async ({ app, id: key }) => {
      await app.get(Actors).tell(new ScheduleDue({ key }));
    },
  },
  {
    id: 'clockwork.zone',
    act: (hand) =>
      hand.edit((state) => {
        const { definition } = state;
        return {
          ...state,
          definition: { ...definition, rule: { ...definition?.rule, tz: 'Asia/Tokyo' } },
        };
      }),
  },
  { id: 'clockwork.lost', act: (hand) => hand.drop() },
  {
    id: 'clockwork.overwritten',
    act: (hand) =>
      hand.edit((state) => {
        const policies = { ...state.definition?.policies, overlap: 'skip' };
        return { ...state, definition: { ...state.definition, owner: 'nobody', policies } };
      }),
  },
  { id: 'clockwork.nonsense', act: (hand) => hand.edit(() => ({ running: 'around' })) },
  {
    id: 'half-nonsense',
    every: '4s',
    act: (hand) => hand.edit((state) => ({ ...state, watermark: 'yesterday' })),
  },
  {
    id: 'nonsense',
    every: '4s',
    act: (hand) => hand.edit(() => ({ definition: 'every day' })),
    told: 'dead',
  },
];

@Actor({ name: 'clockwork', retry: { attempts: 1 } })
class Clockwork {
  constructor(private readonly ledger: Ledger) {}
  @Cron('*/4 * * * * *', { tz: 'Europe/Madrid', ...OFTEN })
  zone(_: ScheduledRun, turn: Turn): void {
    this.ledger.ran(turn);
  }
  @Cron('*/4 * * * * *', { ...OFTEN })
  lost(_: ScheduledRun, turn: Turn): void {
    this.ledger.ran(turn);
  }
  @Cron('*/4 * * * * *', { ...OFTEN })
  overwritten(_: ScheduledRun, turn: Turn): void {
    this.ledger.ran(turn);
  }
  @Cron('*/4 * * * * *', { ...OFTEN })
  nonsense(_: ScheduledRun, turn: Turn): void {
    this.ledger.ran(turn);
  }
}

@Actor({ name: 'beats' })
class Beats {
  constructor(private readonly ledger: Ledger) {}
  @Handle(Beat) beat(_: Beat, turn: Turn): void {
    this.ledger.ran(turn);
  }
}

@Actor({ name: 'alerts' })
class Alerts {
  constructor(private readonly ledger: Ledger) {}
  @On(ScheduleTroubled) told(trouble: ScheduleTroubled): void {
    this.ledger.troubles.push(trouble);
  }
}

/** What such an application is made of. */
export const HEALING = {
  imports: [SchedulerModule],
  providers: [Ledger, Clockwork, Beats, Alerts],
};

/** Damages every schedule in its own way, all at once, and waits until all is well again. @returns how many damages there were */
export async function healed(app: INestApplicationContext, vandal: Vandal): Promise<number> {
  const schedules = app.get(Schedules);
  const { troubles, runs } = app.get(Ledger);
  for (const { id, every, isNew } of DAMAGES) {
    if (every && !isNew)
      await schedules.create(id, { every, message: new Beat({ of: id }), ...OFTEN });
  }
  const isGoing = ({ id, isNew }: Damage): boolean =>
    isNew === true || [...runs.values()].some((run) => run.schedule === id);
  await eventually(() => DAMAGES.every(isGoing), { timeout: 30_000 });
  for (const { id, every, isNew } of DAMAGES) {
    if (!every || !isNew) continue;
    const phase = (Date.now() + 25_000) % 30_000;
    await schedules.create(id, { every, phase, message: new Beat({ of: id }), ...OFTEN });
  }

  const began = performance.now();
  await Promise.all(DAMAGES.map(({ id, act }) => act(handOf(id, app, vandal))));
  const left = (): number => BOUND - (performance.now() - began);
  await eventually(
    async () => {
      for (const { id, told = 'healed' } of DAMAGES) await expectTold(id, told);
    },
    { timeout: left(), interval: 250 },
  );
  await accounted();

  // Whatever waited, and every timer. Those whose next run was sent already go on when it ends.
  const phase = (Date.now() + 43_200_000) % 86_400_000;
  await schedules.create(FAR, { every: '1d', phase, message: new Beat({ of: FAR }) });
  await queueOf(app).obliterate({ force: true });
  await eventually(async () => expect(await notes(FAR)).not.toEqual([]), {
    timeout: BOUND,
    interval: 250,
  });
  await accounted();
  expect([...runs.values()].filter(({ count }) => count > 1)).toEqual([]);
  return DAMAGES.length + 1;

  async function expectTold(id: string, told: 'healed' | 'dead'): Promise<void> {
    const what = told === 'dead' ? 'broken' : told;
    expect(await notes(id, what), `${id}: its journal`).not.toEqual([]);
    const kinds = troubles.filter(({ schedule }) => schedule === id).map(({ kind }) => kind);
    expect(kinds, `${id}: told`).toContain(told);
  }

  async function notes(id: string, what = 'healed'): Promise<HistoryEntry[]> {
    const history = await schedules.history(id, { limit: 1_000 });
    return history.filter((entry) => entry.kind === 'note' && entry.what === what);
  }

  /** All go on, and every occurrence since each was made is decided once and has run once. */
  async function accounted(): Promise<void> {
    const now = Date.now();
    for (const { id } of DAMAGES.filter(({ told }) => told === undefined)) {
      let last: Awaited<ReturnType<typeof firedOf>> = [];
      await eventually(
        async () => {
          last = await firedOf(id);
          return last.some(({ nominal }) => nominal > now);
        },
        { timeout: 45_000, interval: 250 },
      );
      const rule = (await schedules.get(id))?.rule;
      const since = (await notes(id, 'created')).at(-1)?.at.getTime() ?? NaN;
      const nominal = last.map((row) => row.nominal).sort((a, b) => a - b);
      const expected: number[] = [];
      for (let at = (nominal[0] ?? 0) - 1; rule && expected.length < nominal.length;) {
        at = nextOccurrence(rule, at) ?? Infinity;
        expected.push(at);
      }
      expect(nominal, `${id}: decided`).toEqual(expected);
      expect((nominal[0] ?? 0) - since, `${id}: from its beginning on`).toBeLessThan(28_000);
      await eventually(() => {
        expect(
          last.filter(({ run }) => !runs.has(run)),
          `${id}: ran`,
        ).toEqual([]);
      });
      const ofIt = [...runs.values()].filter((run) => run.schedule === id);
      expect(new Set(ofIt.map((run) => run.nominal)).size).toBe(ofIt.length);
    }
  }

  async function firedOf(id: string): Promise<{ nominal: number; run: string }[]> {
    const history = await schedules.history(id, { limit: 1_000 });
    return history.flatMap((entry) => {
      if (entry.kind !== 'occurrence') return [];
      expect(['fired', 'late'], `${id}: ${entry.nominal.toISOString()}`).toContain(entry.outcome);
      return [{ nominal: entry.nominal.getTime(), run: entry.run ?? '' }];
    });
  }
}

function queueOf(app: INestApplicationContext): Queue {
  return app.get<Engine>(ENGINE).queue?.('schedules') as Queue;
}

function handOf(id: string, app: INestApplicationContext, vandal: Vandal): Hand {
  const engine = app.get<Engine>(ENGINE);
  return {
    id,
    app,
    drop: () => vandal.drop(id),
    async edit(change) {
      await eventually(async () => {
        const stored = await engine.state('schedules', id);
        const data = change(stored?.data as unknown as ScheduleState);
        return vandal.write(id, data, stored?.revision ?? 0);
      });
    },
    async timer() {
      const found = await eventually(async () => {
        const record = await engine.find(`due:${id}`, ['schedules']);
        const isSoon = (record?.envelope.dueAt ?? 0) < Date.now() + 2_000;
        if (record?.state !== 'delayed' || isSoon) return null;
        return ((await queueOf(app).getJob(record.storageId)) as Job | undefined) ?? null;
      });
      return found as Job;
    },
  };
}
