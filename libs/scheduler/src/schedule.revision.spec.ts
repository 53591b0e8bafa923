import { OptionError, type Duration } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { definitionOf } from '../../../test/support/schedule.stage.js';
import { SendReport, staged } from '../../../test/support/scheduler.stage.js';
import { revisionOf, scheduleState } from './schedule.state.js';
import { ScheduleChangedError } from './scheduler.errors.js';

async function revised() {
  const { t, schedules, drained } = await staged();
  const put = async (every: Duration, ifRevision?: number) => {
    const change = ifRevision === undefined ? {} : { ifRevision };
    const input = { every, message: new SendReport({ to: 'all' }) };
    const { outcome, schedule } = await drained(schedules.put('report', input, change));
    return [outcome, schedule.revision] as const;
  };
  const remove = (ifRevision: number) => drained(schedules.remove('report', { ifRevision }));
  const refused = (revision: number | undefined) => new ScheduleChangedError('report', revision);
  return { t, schedules, drained, put, remove, refused };
}

describe('the revision of a schedule', () => {
  it('lets a change be made only of what was seen', async () => {
    const { schedules, put, refused } = await revised();
    await expect(put('1h', 1)).rejects.toEqual(refused(undefined));
    const [, first] = await put('1h', 0);
    for (const seen of [0, first - 1, first + 1]) {
      await expect(put('2h', seen)).rejects.toEqual(refused(first));
    }
    expect(await put('1h', first)).toEqual(['unchanged', first]);
    const [outcome, second] = await put('2h', first);
    expect(outcome).toBe('changed');
    for (const every of ['2h', '3h'] as const) {
      await expect(put(every, first)).rejects.toEqual(refused(second));
    }
    expect(await schedules.get('report')).toMatchObject({ revision: second });
    await expect(put('2h', -1)).rejects.toThrow(OptionError);
  });

  it('grows with every change, at one moment too, and with nothing else', async () => {
    const { t, schedules, drained, put } = await revised();
    const [, first] = await put('1h');
    const [, second] = await put('2h');
    const [, third] = await put('3h');
    expect(new Set([first, second, third]).size).toBe(3);
    expect(third).toBeGreaterThan(second);
    await drained(schedules.pause('report', 'holidays'));
    await t.advance('10h');
    await drained(schedules.resume('report'));
    await drained(schedules.trigger('report'));
    await t.advance('10h');
    expect(await put('3h', third)).toEqual(['unchanged', third]);
  });

  it('lets it be removed only as it was seen', async () => {
    const { schedules, put, remove, refused } = await revised();
    const [, first] = await put('1h');
    const [, second] = await put('2h');
    for (const seen of [0, first]) await expect(remove(seen)).rejects.toEqual(refused(second));
    expect(await schedules.get('report')).toMatchObject({ revision: second });
    expect(await remove(second)).toBe(true);
    expect(await remove(second)).toBe(false);
  });

  it('is another one when it was removed and made anew', async () => {
    const { t, put, remove } = await revised();
    const [, first] = await put('1h');
    await remove(first);
    await t.advance('1s');
    const [, anew] = await put('1h');
    await expect(put('2h', first)).rejects.toThrow(ScheduleChangedError);
    expect(await put('2h', anew)).toEqual(['changed', expect.any(Number)]);
  });

  it('is there where a release that knew none has stored it', () => {
    const definition = definitionOf({ every: '1h' });
    const stored = (more: object) => revisionOf(scheduleState.parse({ definition, ...more }));
    expect(stored({ changedAt: 5_000 })).toBe(5_000);
    expect(stored({})).toBe(1);
    expect(stored({ changedAt: 5_000, revision: 7_000 })).toBe(7_000);
    expect(revisionOf(scheduleState.parse({ changedAt: 5_000 }))).toBe(0);
  });
});
