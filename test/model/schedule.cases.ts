import { Actor, ENGINE, Handle, Message, type Engine, type Turn } from '@callsheet/messaging';
import {
  Every,
  ScheduleChangedError,
  ScheduledRun,
  SchedulerModule,
  Schedules,
} from '@callsheet/scheduler';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const SOON = { timeout: 20_000 };

/** An actor with a schedule of a run each second. */
function clock() {
  const name = uniqueActor();
  const runs: { run: ScheduledRun; turn: Turn }[] = [];
  @Actor({ name, retry: { attempts: 1 } })
  class Clock {
    @Every('1s', { overlap: 'allow', grace: '1m' })
    tick(run: ScheduledRun, turn: Turn): void {
      runs.push({ run, turn });
    }
  }
  return { id: `${name}.tick`, Clock, runs };
}

/** An actor that is sent messages by schedules. */
function mail() {
  const name = uniqueActor();
  const done: { to: string; id: string }[] = [];
  class Send extends Message(`${name}.send`, z.object({ to: z.string() })) {}
  @Actor()
  class Mail {
    @Handle(Send) send({ to }: Send, { id }: Turn): void {
      done.push({ to, id });
    }
  }
  return { name, Send, Mail, done };
}

/** Schedules of these processes are changed at once, each change of what was seen: one of them is made. */
async function editAtOnce(processes: readonly Schedules[]): Promise<void> {
  const id = `${uniqueActor()}-edited`;
  const [first] = processes as [Schedules];
  const message = new Keep({});
  let { revision } = await first.create(id, { cron: '0 0 1 1 *', message });
  for (let round = 0; round < 3; round++) {
    const edits = processes.flatMap((each, n) => [
      each.put(id, { every: `${1 + round}h`, message, tags: [`a${n}`] }, { ifRevision: revision }),
      each.put(id, { every: `${1 + round}h`, message, tags: [`b${n}`] }, { ifRevision: revision }),
    ]);
    const ended = await Promise.allSettled(edits);
    const [made, ...others] = ended.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
    expect([made?.outcome, others]).toEqual(['changed', []]);
    const refused = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(refused).toHaveLength(edits.length - 1);
    const now = await first.get(id);
    expect(now).toMatchObject({ tags: made?.schedule.tags, revision: made?.schedule.revision });
    const told = new ScheduleChangedError(id, now?.revision);
    for (const error of refused) expect(error).toEqual(told);
    const late = processes.map((each) => each.remove(id, { ifRevision: revision }));
    await Promise.all(late.map((removal) => expect(removal).rejects.toEqual(told)));
    revision = now?.revision ?? 0;
  }
  const removals = processes.map((each) => each.remove(id, { ifRevision: revision }));
  expect((await Promise.all(removals)).filter(Boolean)).toEqual([true]);
  expect(await first.get(id)).toBeUndefined();
}

/** Sent by schedules that do not come due. */
class Keep extends Message('kept.keep', z.object({})) {}

@Actor({ name: 'kept' })
class Keeper {
  @Handle(Keep) keep(): void {}
}

export const scheduleCases: ModelCase[] = [
  {
    behaviour: 'a schedule runs once at each of its times, and its history tells of each',
    waits: true,
    async run(stage) {
      const { id, Clock, runs } = clock();
      const app = await stage.app([Clock], {}, { imports: [SchedulerModule] });
      await eventually(() => runs.length >= 3, SOON);
      const nominal = runs.slice(0, 3).map(({ run }) => run.nominal.getTime());
      expect(nominal).toEqual([0, 1, 2].map((n) => (nominal[0] ?? 0) + n * 1_000));
      for (const { run, turn } of runs) {
        expect(turn.now.getTime()).toBeGreaterThanOrEqual(run.nominal.getTime());
        expect(turn.occurrence).toEqual(run.nominal);
      }
      const schedules = app.get(Schedules);
      await eventually(async () => {
        const history = await schedules.history(id);
        return history.filter(({ kind }) => kind === 'end').length >= 3;
      }, SOON);
      const fired = (await schedules.history(id)).filter(({ kind }) => kind === 'occurrence');
      const times = fired.map((each) => ('nominal' in each ? each.nominal.getTime() : 0));
      expect(new Set(times).size).toBe(times.length);
      expect((await schedules.list()).map((each) => each.id)).toContain(id);
    },
  },
  {
    behaviour: 'two processes with one schedule do not double its runs, and either may end',
    waits: true,
    shared: true,
    async run(stage) {
      const { Clock, runs } = clock();
      const first = await stage.app([Clock], {}, { imports: [SchedulerModule] });
      await stage.app([Clock], {}, { imports: [SchedulerModule] });
      await eventually(() => runs.length >= 3, SOON);
      await first.close();
      const before = runs.length;
      await eventually(() => runs.length >= before + 2, SOON);
      const nominal = runs.map(({ run }) => run.nominal.getTime());
      expect(new Set(nominal).size).toBe(nominal.length);
      const sorted = [...nominal].sort((a, b) => a - b);
      expect(sorted.map((time) => time - (sorted[0] ?? 0))).toEqual(
        sorted.map((_, index) => index * 1_000),
      );
    },
  },
  {
    behaviour: 'a schedule made over the API is changed, paused, triggered and removed',
    async run(stage) {
      const { name, Send, Mail, done } = mail();
      const app = await stage.app([Mail], {}, { imports: [SchedulerModule] });
      const schedules = app.get(Schedules);
      const message = new Send({ to: 'yearly' });
      const id = `${name}-report`;
      await schedules.create(id, { cron: '0 0 1 1 *', message, tags: [name] });
      expect(await schedules.trigger(id)).toMatchObject({ outcome: 'started' });
      await eventually(() => done.length === 1, SOON);
      await schedules.put(id, { every: '1s', message: new Send({ to: 'often' }), tags: [name] });
      await eventually(() => done.some(({ to }) => to === 'often'), SOON);
      expect(await schedules.pause(id, 'enough')).toBe(true);
      expect(await schedules.list({ tag: name })).toMatchObject([{ id, state: 'paused' }]);
      expect(await schedules.remove(id)).toBe(true);
      expect(await schedules.list({ tag: name })).toEqual([]);
    },
  },
  {
    waits: true,
    behaviour:
      'a run that was sent before its time is taken back by a pause, an edit, a removal and a trigger',
    async run(stage) {
      const { name, Send, Mail, done } = mail();
      const app = await stage.app([Mail], {}, { imports: [SchedulerModule] });
      const schedules = app.get(Schedules);
      const engine = app.get<Engine>(ENGINE);
      const at = new Date(Date.now() + 8_000);
      const idOf = (each: string): string => `run:${name}-${each}:${at.getTime()}`;
      const all = ['kept', 'paused', 'resumed', 'edited', 'removed', 'triggered', 'anew'];
      for (const each of all) {
        await schedules.create(`${name}-${each}`, { at, message: new Send({ to: each }) });
        const record = await engine.find(idOf(each), [name]);
        expect(record).toMatchObject({ state: 'delayed', envelope: { dueAt: at.getTime() } });
      }
      await schedules.pause(`${name}-paused`, 'stop');
      await schedules.pause(`${name}-resumed`, 'stop');
      await schedules.resume(`${name}-resumed`);
      const later = new Date(at.getTime() + 3_600_000);
      await schedules.put(`${name}-edited`, { at: later, message: new Send({ to: 'edited' }) });
      await schedules.remove(`${name}-removed`);
      await schedules.trigger(`${name}-triggered`);
      await schedules.remove(`${name}-anew`);
      await schedules.create(`${name}-anew`, { at, message: new Send({ to: 'anew' }) });
      for (const each of all.slice(1)) {
        expect(await engine.find(idOf(each), [name])).toMatchObject({ state: 'cancelled' });
      }
      await eventually(() => done.length >= 5, SOON);
      // Whatever was not taken back would have begun by now.
      await eventually(() => Date.now() > at.getTime() + 1_500, SOON);
      const names = done.map(({ to }) => to);
      expect(names.sort((a, b) => a.localeCompare(b))).toEqual([
        'anew',
        'kept',
        'resumed',
        'triggered',
        'triggered',
      ]);
      expect(done).toContainEqual({ to: 'kept', id: idOf('kept') });
      expect(done).toContainEqual({ to: 'resumed', id: `${idOf('resumed')}:again` });
      await schedules.resume(`${name}-paused`);
      const history = await schedules.history(`${name}-paused`);
      expect(history.flatMap((each) => ('nominal' in each ? [each.outcome] : []))).toEqual([
        'paused',
      ]);
    },
  },
  {
    waits: true,
    behaviour:
      'a run that somebody asks for as soon as another has ended does not overlap it, and both ends are told',
    async run(stage) {
      const { name, Send, Mail, done } = mail();
      const app = await stage.app([Mail], {}, { imports: [SchedulerModule] });
      const schedules = app.get(Schedules);
      const engine = app.get<Engine>(ENGINE);
      const at = new Date(Date.now() + 2_000);
      const id = `${name}-report`;
      await schedules.create(id, { at, message: new Send({ to: 'x' }), overlap: 'skip' });
      await eventually(async () => {
        return (await engine.find(`run:${id}:${at.getTime()}`, [name]))?.state === 'done';
      }, SOON);
      expect(await schedules.trigger(id)).toMatchObject({ outcome: 'started' });
      await eventually(async () => {
        const history = await schedules.history(id);
        return history.filter(({ kind }) => kind === 'end').length === 2;
      }, SOON);
      expect(done).toHaveLength(2);
      const told = (await schedules.history(id)).map((each) => 'outcome' in each && each.outcome);
      expect(told.filter(Boolean)).toEqual(['succeeded', 'triggered', 'succeeded', 'fired']);
    },
  },
  {
    behaviour: 'of changes of a schedule that were made of the same revision at once one is made',
    async run(stage) {
      const app = await stage.app([Keeper], {}, { imports: [SchedulerModule] });
      await editAtOnce([app.get(Schedules)]);
    },
  },
  {
    behaviour: 'of changes of a schedule that two processes make at once one is made',
    shared: true,
    async run(stage) {
      const first = await stage.app([Keeper], {}, { imports: [SchedulerModule] });
      const second = await stage.app([Keeper], {}, { imports: [SchedulerModule] });
      await editAtOnce([first.get(Schedules), second.get(Schedules)]);
    },
  },
  {
    behaviour: 'under skip no two runs of a schedule overlap, and each skipped one is recorded',
    waits: true,
    async run(stage) {
      const name = uniqueActor();
      let [atWork, most, done] = [0, 0, 0];
      @Actor({ name, concurrency: 10 })
      class Slow {
        @Every('500ms', { overlap: 'skip' })
        async work(): Promise<void> {
          most = Math.max(most, ++atWork);
          // The work itself takes time.
          await new Promise((resolve) => setTimeout(resolve, 1_300));
          atWork--;
          done++;
        }
      }
      const app = await stage.app([Slow], {}, { imports: [SchedulerModule] });
      await eventually(() => done >= 2, SOON);
      expect(most).toBe(1);
      const history = await app.get(Schedules).history(`${name}.work`);
      const outcomes = history.map((each) => ('outcome' in each ? each.outcome : each.what));
      expect(outcomes).toContain('skipped');
    },
  },
  {
    behaviour: 'what ends is told, and cancelled when the schedule says so',
    async run(stage) {
      const name = uniqueActor();
      class Wait extends Message(`${name}.wait`, z.object({})) {}
      @Actor()
      class Waiter {
        @Handle(Wait) async wait(_: Wait, turn: Turn): Promise<void> {
          await new Promise((_, reject) => {
            turn.signal.addEventListener('abort', () => reject(new Error('told to stop')));
          });
        }
      }
      const app = await stage.app([Waiter], {}, { imports: [SchedulerModule] });
      const schedules = app.get(Schedules);
      const id = `${name}-wait`;
      await schedules.create(id, { cron: '0 0 1 1 *', message: new Wait({}), timeout: '500ms' });
      await schedules.trigger(id);
      await eventually(async () => (await schedules.get(id))?.last !== undefined, SOON);
      expect((await schedules.get(id))?.last).toMatchObject({ outcome: 'timed-out' });
    },
  },
];
