import {
  ENGINE,
  Message,
  MessageRegistry,
  RetryLaterError,
  type Engine,
} from '@callsheet/messaging';
import type { TestCallsheet } from '@callsheet/messaging/testing';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { HOUR, SendReport, staged, toldOf } from '../../../test/support/scheduler.stage.js';
import type { ScheduleInput } from './schedule.input.js';

/** As if messages of runs were gone. */
function loseRuns(t: TestCallsheet): void {
  const engine = t.get<Engine>(ENGINE);
  const find = engine.find.bind(engine);
  vi.spyOn(engine, 'find').mockImplementation(async (id, actors) =>
    id.startsWith('run:') ? undefined : find(id, actors),
  );
}

describe('the end of a run', () => {
  it('cancels what takes too long', async () => {
    const { t, schedules, drained } = await staged();
    class Wait extends Message('nowhere.wait', z.object({})) {}
    const input = { every: '1h', timeout: '10m', message: new Wait({}) } as const;
    await drained(schedules.put('slow', input));
    await t.advance(HOUR + 11 * 60_000);
    expect(toldOf(await schedules.history('slow'))).toEqual(['created', 'fired', 'timed-out']);
  });

  it('cancels it in a process that knows nothing of its actor', async () => {
    const { t, schedules, drained } = await staged();
    class Wait extends Message('nowhere.wait', z.object({})) {}
    const input = { every: '1h', timeout: '10m', message: new Wait({}) } as const;
    await drained(schedules.put('slow', input));
    // As where no message of that actor was ever sent or declared.
    vi.spyOn(t.get(MessageRegistry), 'actors').mockReturnValue(['schedules']);
    await t.advance(HOUR + 11 * 60_000);
    const [run] = (await schedules.history('slow')).filter(({ kind }) => kind === 'end');
    const id = (run as { run: string }).run;
    const record = await t.get<Engine>(ENGINE).find(id, ['nowhere']);
    expect(record).toMatchObject({ state: 'cancelled' });
  });

  it('sees that a run was cancelled before it began, whatever else is to come', async () => {
    const { t, sent, schedules, drained } = await staged();
    class Wait extends Message('nowhere.wait', z.object({})) {}
    const at = new Date(t.now.getTime() + 100 * HOUR);
    const of = (message: ScheduleInput['message']) =>
      ({ at, overlap: 'buffer-all', message }) as const;
    await drained(schedules.create('report', of(new Wait({}))));
    const first = await drained(schedules.trigger('report'));
    await drained(schedules.put('report', of(new SendReport({ to: 'all' }))));
    await drained(schedules.trigger('report'));
    await t.advance('10m');
    expect(sent).toEqual([]);
    await t.actors.cancel((first as { run: string }).run);
    await t.advance('30m');
    expect(sent).toHaveLength(1);
    expect(await schedules.get('report')).toMatchObject({ running: [], buffered: 0 });
  });

  it('believes what the end of a long run says of itself, when its message is gone', async () => {
    const { t, schedules, drained, hourly } = await staged();
    await drained(schedules.create('report', hourly({ message: new SendReport({ to: 'slow' }) })));
    loseRuns(t);
    await t.advance(HOUR + 60_000);
    const [end] = await schedules.history('report');
    expect(end).toMatchObject({ kind: 'end', outcome: 'succeeded', attempts: 2 });
    expect((await schedules.get('report'))?.last).toMatchObject({ result: { rows: 2 } });
  });

  it('does not take a run that has begun for lost because its message is gone', async () => {
    const { t, schedules, drained, hourly } = await staged();
    Object.assign(t.get<Engine>(ENGINE).store, { shared: true });
    await drained(schedules.create('report', hourly()));
    await t.advance(HOUR);
    loseRuns(t);
    await drained(schedules.pause('report', 'stop'));
    await t.advance('1s');
    const history = await schedules.history('report');
    expect(toldOf(history)).toEqual(['created', 'fired', 'paused', 'succeeded']);
  });

  it('does not skip what is due after a run has ended that is told later', async () => {
    const { t, schedules, drained } = await staged();
    Object.assign(t.get<Engine>(ENGINE).store, { shared: true });
    class Again extends Message('later.again', z.object({})) {}
    const message = new Again({});
    await drained(schedules.put('slow', { every: '1h', message }));
    t.probe(Again).fail(new RetryLaterError('a moment', { after: '100ms' }), 1);
    await t.advance(HOUR);
    await drained(schedules.put('slow', { every: '200ms', message }));
    await t.advance(200);
    await drained(schedules.pause('slow', 'stop'));
    expect(toldOf(await schedules.history('slow'))).toEqual([
      ...['created', 'fired', 'changed', 'succeeded', 'fired', 'succeeded', 'paused'],
    ]);
  });

  it('tells of the end of a run once, however long it took', async () => {
    const { t, schedules, drained } = await staged();
    class Again extends Message('later.again', z.object({})) {}
    const message = new Again({});
    await drained(schedules.put('slow', { every: '1h', message }));
    t.probe(Again).fail(new RetryLaterError('not yet', { after: '5m' }), 2);
    await t.advance(HOUR + 20 * 60_000);
    expect(toldOf(await schedules.history('slow'))).toEqual(['created', 'fired', 'succeeded']);
  });
});
