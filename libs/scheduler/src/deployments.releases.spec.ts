import { CLOCK, ENGINE, Keys, type Clock, type Engine } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeclareSchedules, DeploymentActor } from './deployment.actor.js';
import { Deployments } from './deployments.js';
import { Every } from './schedule.decorators.js';
import { toTiming } from './schedule.input.js';
import { PutSchedule } from './schedule.messages.js';
import { SchedulerModule } from './scheduler.module.js';
import { Schedules } from './schedules.js';
import { DEPLOYMENTS } from './timer.js';

const BEAT = 8_000;

/** An application on the memory store, as if other processes could share it. */
async function staged({ shared = true } = {}) {
  const t = await TestCallsheet.create({ imports: [SchedulerModule] });
  onTestFinished(() => t.close());
  await t.drain();
  const engine = t.get<Engine>(ENGINE);
  Object.assign(engine, { store: { ...engine.store, shared } });
  return t;
}

/** What of the engine no contract has. */
interface Insides {
  messages: { queue(actor: string): { states: States } };
}
interface States {
  get(key: string): { revision: number } | undefined;
  commit(key: string, effects: { forget: { revision: number } }, now: number): void;
}

class None {}
class Hourly {
  @Every('1h') tick(): void {}
}
class TwoHourly {
  @Every('2h') tick(): void {}
}

/** Processes that run releases of the actor `clock`. */
async function processes(options?: { shared: boolean }) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const t = await staged(options);
  const store = t.get<Engine>(ENGINE);
  const start = async (
    code: new () => object,
    host = { isStopped: false },
  ): Promise<Deployments> => {
    const started = new Deployments(
      Object.assign(host, {
        actors: () => [{ name: 'clock', target: code }],
        consumes: true,
      }) as never,
      t.actors,
      t.get(Keys),
      {} as never,
      // As where processes are looked after.
      Object.create(store, { queue: { value: () => undefined } }) as Engine,
      t.get<Clock>(CLOCK),
      { apply: 'start' },
    );
    onTestFinished(() => started.beforeApplicationShutdown());
    await started.onApplicationBootstrap();
    await t.drain();
    return started;
  };
  /** All that run have their beats, in the order in which they started. */
  const pass = async (beats: number): Promise<void> => {
    for (let beat = 0; beat < beats; beat++) {
      await t.advance(BEAT);
      await vi.advanceTimersByTimeAsync(BEAT);
      await t.drain();
    }
  };
  /** Hours between runs, when there is a schedule. */
  const every = async (): Promise<number | undefined> => {
    const [schedule] = await t.get(Schedules).list();
    return schedule?.rule.every && schedule.rule.every / 3_600_000;
  };
  return { t, start, pass, every };
}

describe('a process that stops', () => {
  it('says no more that it is there: nobody may hear it in time', async () => {
    const { t, start, pass } = await processes();
    const host = { isStopped: false };
    await start(Hourly, host);
    const tell = vi.spyOn(t.actors, 'tell');
    await pass(2);
    expect(tell).toHaveBeenCalled();
    tell.mockClear();
    host.isStopped = true;
    await pass(2);
    expect(tell).not.toHaveBeenCalled();
  });
});

describe('a process of the release before', () => {
  it('that had no schedules does not remove the first ones when it starts again', async () => {
    const { t, start, pass, every } = await processes();
    await start(None);
    await start(Hourly);
    await start(None);
    expect(await every()).toBe(1);
    await pass(20);
    await start(None);
    await pass(20);
    expect(await every()).toBe(1);
    const history = await t.get(Schedules).history('clock.tick');
    expect(history.map((entry) => entry.kind === 'note' && entry.what)).toEqual(['created']);
  });

  it('that had no schedules removes them when the newer one is gone', async () => {
    const { start, pass, every } = await processes();
    await start(None);
    (await start(Hourly)).beforeApplicationShutdown();
    await pass(7);
    expect(await every()).toBeUndefined();
  });

  it('takes over when the newer one is missed at two beats, not at once when it starts', async () => {
    const { t, start, pass, every } = await processes();
    (await start(Hourly)).beforeApplicationShutdown();
    (await start(TwoHourly)).beforeApplicationShutdown();
    await t.advance('1m');
    await start(Hourly);
    await pass(1);
    expect(await every()).toBe(2);
    await pass(1);
    expect(await every()).toBe(1);
  });

  it('leaves a store alone that was away, and the newer one in force', async () => {
    const { t, start, pass, every } = await processes();
    await start(Hourly);
    await start(TwoHourly);
    await pass(1);
    await t.advance('1m');
    await start(Hourly);
    await pass(10);
    expect(await every()).toBe(2);
  });
});

describe('a store that is emptied', () => {
  it.each(['beat', 'start'] as const)(
    'has the schedules of the newer one, though the older one has its %s first',
    async (first) => {
      const { t, start, pass, every } = await processes();
      await start(Hourly);
      await start(TwoHourly);
      await pass(1);
      forget(t);
      if (first === 'start') await start(Hourly);
      await pass(2);
      expect(await every()).toBe(2);
      // As before it was emptied.
      await start(Hourly);
      await pass(10);
      expect(await every()).toBe(2);
    },
  );

  it('has those of the older one when the newer one does not come back', async () => {
    const { t, start, pass, every } = await processes();
    await start(Hourly);
    const newer = await start(TwoHourly);
    await pass(1);
    newer.beforeApplicationShutdown();
    forget(t);
    await pass(3);
    expect(await every()).toBe(1);
  });

  /** Has the store lose which release is in force. */
  function forget(t: TestCallsheet): void {
    const { messages } = t.get<Insides>(ENGINE);
    const { states } = messages.queue(DEPLOYMENTS);
    states.commit('clock', { forget: { revision: states.get('clock')!.revision } }, 0);
  }
});

describe('a store that one process has alone', () => {
  it('goes by whatever starts', async () => {
    const { start, every } = await processes({ shared: false });
    await start(Hourly);
    await start(TwoHourly);
    await start(Hourly);
    expect(await every()).toBe(1);
    await start(None);
    expect(await every()).toBeUndefined();
  });
});

describe('releases of an actor', () => {
  /** An application that declares for others. */
  async function released() {
    const t = await staged();
    const declare = async (release: string, schedules: Record<string, '1h' | '2h'>, more = {}) => {
      const declared = Object.entries(schedules).map(([id, every]) => ({
        id,
        definition: {
          ...toTiming(id, { every }, ''),
          message: { type: 'clock.tick' as const, actor: 'clock', version: 1, data: {} },
          owner: 'clock',
        },
      }));
      await t.actors.tell(
        new DeclareSchedules({ actor: 'clock', release, schedules: declared, ...more }),
      );
      await t.drain();
    };
    const stored = async () =>
      Object.fromEntries(
        (await t.get(Schedules).list()).map(({ id, rule }) => [id, (rule.every ?? 0) / 3_600_000]),
      );
    return { t, declare, stored };
  }

  it('the last that came is in force: what it does not declare is removed', async () => {
    const { declare, stored } = await released();
    await declare('one', { a: '1h', b: '1h' });
    expect(await stored()).toEqual({ a: 1, b: 1 });
    await declare('two', { b: '2h', c: '1h' });
    expect(await stored()).toEqual({ b: 2, c: 1 });
  });

  it('an older one beside it does not flap, and is in force again when the newer one is gone', async () => {
    const { t, declare, stored } = await released();
    await declare('one', { a: '1h' });
    await declare('two', { a: '2h' });
    for (let round = 0; round < 10; round++) {
      await t.advance('20s');
      await declare('one', { a: '1h' });
      expect(await stored()).toEqual({ a: 2 });
      await declare('two', { a: '2h' });
    }
    await t.advance('31s');
    await declare('one', { a: '1h' });
    await declare('one', { a: '1h' }, { gone: 'another' });
    expect(await stored()).toEqual({ a: 2 });
    await declare('one', { a: '1h' }, { gone: 'two' });
    expect(await stored()).toEqual({ a: 1 });
  });

  it('one that is thought to be gone, and is there, stays in force', async () => {
    const { declare, stored } = await released();
    await declare('one', { a: '1h' });
    await declare('two', { a: '2h' });
    await declare('one', { a: '1h' }, { gone: 'two' });
    expect(await stored()).toEqual({ a: 2 });
  });

  it('those are remembered that were there last', async () => {
    const { t, declare } = await released();
    for (let n = 0; n < 52; n++) {
      await declare(`r${n}`, {});
      await declare('old', {});
    }
    const state = await t.get(Keys).state(DeploymentActor, 'clock');
    const ids = state?.releases.map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(ids?.slice(-2)).toEqual(['r51', 'old']);
  });

  it('one is put back when somebody decides so', async () => {
    const { declare, stored } = await released();
    await declare('one', { a: '1h' });
    await declare('two', { a: '2h' });
    await declare('one', { a: '1h' }, { isForced: true });
    expect(await stored()).toEqual({ a: 1 });
  });

  it('one that somebody has put in force waits for its processes, ten minutes long', async () => {
    const { t, declare, stored } = await released();
    const gone = { gone: 'two' };
    await declare('one', { a: '1h' });
    await declare('two', { a: '2h' }, { isForced: true });
    await t.advance('9m');
    await declare('one', { a: '1h' }, gone);
    expect(await stored()).toEqual({ a: 2 });
    await t.advance('2m');
    await declare('one', { a: '1h' }, gone);
    expect(await stored()).toEqual({ a: 1 });
    await declare('two', { a: '2h' }, { isForced: true });
    await declare('two', { a: '2h' });
    await t.advance('31s');
    await declare('one', { a: '1h' }, gone);
    expect(await stored()).toEqual({ a: 1 });
  });

  it('a schedule whose actor declares it no more is taken over by the one that does, with its history', async () => {
    const { t, declare, stored } = await released();
    const definition = {
      ...toTiming('a', { every: '2h' }, ''),
      message: { type: 'gone.tick' as const, actor: 'gone', version: 1, data: {} },
      owner: 'gone',
    };
    await t.actors.tell(new PutSchedule({ key: 'a', definition }));
    await t.drain();
    await declare('one', { a: '1h' });
    expect(await stored()).toEqual({ a: 1 });
    const history = await t.get(Schedules).history('a');
    expect(history.map((entry) => entry.kind === 'note' && entry.what)).toEqual([
      'changed',
      'created',
    ]);
  });

  it('leaves alone what was made over the API, and what another actor declares; a pause stays', async () => {
    const { t, declare, stored } = await released();
    const schedules = t.get(Schedules);
    await declare('one', { a: '1h' });
    const message = new DeclareSchedules({ actor: 'x', release: 'x', schedules: [] });
    const made = schedules.put('mine', { every: '1h', message });
    await t.drain();
    await made;
    const paused = schedules.pause('a', 'holidays');
    await t.drain();
    await paused;
    await declare('two', { a: '2h' });
    expect(await stored()).toEqual({ a: 2, mine: 1 });
    expect(await schedules.get('a')).toMatchObject({ state: 'paused' });
    const refused = [schedules.put('a', { every: '1h', message }), schedules.remove('a')];
    for (const each of refused) void each.catch(() => undefined);
    await t.drain();
    for (const each of refused) await expect(each).rejects.toThrow('is declared in code');
  });
});
