import {
  CallsheetModule,
  ENGINE,
  IdempotencyConflictError,
  METRICS,
  OptionError,
  type Engine,
  type Metrics,
} from '@callsheet/messaging';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HOUR, SendReport, staged, toldOf } from '../../../test/support/scheduler.stage.js';
import { ScheduleMetrics } from './schedule.metrics.js';
import { toDefinition } from './schedule.input.js';
import { PutSchedule } from './schedule.messages.js';
import { SchedulerModule } from './scheduler.module.js';
import { ScheduleExistsError } from './scheduler.errors.js';
import { Schedules } from './schedules.js';
import { LookAfterSchedules } from './watchdog.actor.js';

describe('Schedules', () => {
  it('makes a schedule, which sends its message at each occurrence', async () => {
    const { t, sent, schedules, drained, hourly } = await staged();
    const input = hourly({ tags: ['money'], description: 'the report' });
    expect(await drained(schedules.create('report', input))).toMatchObject({
      id: 'report',
      state: 'active',
      message: { type: 'report.send', data: { to: 'all' } },
      tags: ['money'],
      description: 'the report',
      running: [],
      buffered: 0,
      failures: 0,
    });
    await t.advance(3 * HOUR);
    expect(sent.map(({ to }) => to)).toEqual(['all', 'all', 'all']);
    const turn = sent[0]?.turn;
    expect(turn?.occurrence).toEqual(turn?.now);
    expect(turn?.headers).toEqual({ schedule: 'report', 'schedule-reason': 'scheduled' });
    const history = await schedules.history('report');
    expect(toldOf(history)).toEqual(['created', ...Array(3).fill(['fired', 'succeeded']).flat()]);
    expect(history[0]).toMatchObject({ kind: 'end', attempts: 1, drift: 0 });
    const record = await schedules.get('report');
    expect(record?.last).toMatchObject({ outcome: 'succeeded', result: { rows: 3 } });
    const page = await schedules.history('report', { limit: 2 });
    const rest = await schedules.history('report', { before: page[1]?.cursor ?? '' });
    expect([...page, ...rest]).toEqual(history);
  });

  it('makes none twice, changes one, and removes it with its history and its timer', async () => {
    const { t, sent, schedules, drained, hourly } = await staged();
    expect(await drained(schedules.put('report', hourly()))).toMatchObject({ outcome: 'created' });
    await expect(drained(schedules.create('report', hourly()))).rejects.toThrow(
      new ScheduleExistsError('report'),
    );
    expect(await drained(schedules.put('report', hourly()))).toMatchObject({
      outcome: 'unchanged',
    });
    const daily = hourly({ every: '1d' });
    expect(await drained(schedules.put('report', daily))).toMatchObject({
      outcome: 'changed',
      schedule: { rule: { every: 24 * HOUR } },
    });
    await t.advance('1d');
    expect(sent).toHaveLength(1);
    expect(await drained(schedules.remove('report'))).toBe(true);
    expect(await drained(schedules.remove('report'))).toBe(false);
    expect(await schedules.get('report')).toBeUndefined();
    expect(await schedules.history('report')).toEqual([]);
    await t.advance('2d');
    expect(sent).toHaveLength(1);
    const states = await t.get<Engine>(ENGINE).states('schedules', { limit: 10 });
    expect(states).toEqual([]);
  });

  it('tells the next times, as many as there are', async () => {
    const { t, schedules, drained, hourly } = await staged();
    const hours = async (count?: number) =>
      (await schedules.next('report', count))?.map((at) => at.getTime() / HOUR);
    expect(await hours()).toBeUndefined();
    await drained(schedules.put('report', hourly({ limit: 4 })));
    await t.advance(HOUR);
    const now = Math.floor(t.now.getTime() / HOUR);
    expect(await hours()).toEqual([now + 1, now + 2, now + 3]);
    expect(await hours(2)).toEqual([now + 1, now + 2]);
    await drained(schedules.pause('report', 'holidays'));
    await t.advance(HOUR);
    expect((await hours(1))?.[0]).toBe(now + 2);
    await drained(schedules.put('report', hourly({ every: '2h' })));
    expect(await hours()).toHaveLength(10);
    await expect(schedules.next('report', 0)).rejects.toThrow(OptionError);
  });

  it('lists schedules by id, in pages, by tag, text and state', async () => {
    const { schedules, drained, hourly } = await staged();
    for (const id of ['c', 'a', 'b']) {
      const input = hourly({ tags: [`tag-${id}`], description: `Number ${id}` });
      await drained(schedules.put(id, input));
    }
    await drained(schedules.pause('b', 'holidays'));
    const ids = async (options: Parameters<Schedules['list']>[0]) =>
      (await schedules.list(options)).map(({ id }) => id);
    expect(await ids({})).toEqual(['a', 'b', 'c']);
    expect(await ids({ limit: 2 })).toEqual(['a', 'b']);
    expect(await ids({ limit: 2, after: 'b' })).toEqual(['c']);
    expect(await ids({ tag: 'tag-c' })).toEqual(['c']);
    expect(await ids({ text: 'NUMBER A' })).toEqual(['a']);
    expect(await ids({ text: 'report.send', limit: 1 })).toEqual(['a']);
    expect(await ids({ state: 'paused' })).toEqual(['b']);
    await expect(schedules.list({ limit: 0 })).rejects.toThrow(OptionError);
  });

  it('pauses a schedule until somebody resumes it, or until then', async () => {
    const { t, sent, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly()));
    expect(await drained(schedules.pause('report', 'holidays'))).toBe(true);
    await t.advance(2 * HOUR);
    expect(await schedules.get('report')).toMatchObject({
      state: 'paused',
      pause: { reason: 'holidays' },
    });
    expect(await drained(schedules.resume('report'))).toBe('resumed');
    expect(await drained(schedules.resume('report'))).toBe('running');
    await t.advance(HOUR);
    expect(sent).toHaveLength(1);
    const end = new Date(t.now.getTime() + 90 * 60_000);
    await drained(schedules.pause('report', 'an hour and a half', end));
    await t.advance(2 * HOUR);
    expect(sent).toHaveLength(2);
    expect(toldOf(await schedules.history('report'))).toContain('paused');
    expect(await drained(schedules.pause('nothing', 'x'))).toBe(false);
    expect(await drained(schedules.resume('nothing'))).toBeUndefined();
    await expect(schedules.pause('report', '')).rejects.toThrow(OptionError);
    await expect(schedules.pause('report', 'a\0')).rejects.toThrow(/^reason must not contain/);
    await expect(schedules.pause('report', 'x', new Date(0))).rejects.toThrow('in the future');
  });

  it('starts a run now', async () => {
    const { sent, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly()));
    expect(await drained(schedules.trigger('report'))).toMatchObject({ outcome: 'started' });
    expect(sent[0]?.turn.headers).toMatchObject({ 'schedule-reason': 'manual' });
    expect(await drained(schedules.trigger('nothing'))).toBeUndefined();
    const once = await drained(schedules.trigger('report', { id: 'once' }));
    expect(await drained(schedules.trigger('report', { id: 'once' }))).toEqual(once);
    await expect(
      drained(schedules.trigger('report', { id: 'once', overlap: 'allow' })),
    ).rejects.toThrow(IdempotencyConflictError);
    await expect(schedules.trigger('report', { overlap: 'never' as never })).rejects.toThrow(
      OptionError,
    );
  });

  it('runs what a range of time has, counted first, once', async () => {
    const { t, sent, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly()));
    const range = { from: new Date(t.now.getTime() - 5 * HOUR), to: t.now };
    expect(await schedules.backfill('report', { ...range, dryRun: true })).toEqual({
      count: 5,
      outcome: 'counted',
    });
    expect(sent).toEqual([]);
    expect(await drained(schedules.backfill('report', range))).toMatchObject({ outcome: 'begun' });
    expect(await drained(schedules.backfill('report', range))).toMatchObject({ outcome: 'known' });
    expect(sent).toHaveLength(5);
    const nominal = sent.map(({ turn }) => turn.occurrence?.getTime() ?? 0);
    expect(nominal).toEqual([...nominal].sort((a, b) => a - b));
    expect(await drained(schedules.backfill('nothing', range))).toBeUndefined();
    for (const bad of [
      { ...range, to: range.from },
      { ...range, to: new Date(t.now.getTime() + 1) },
      { ...range, from: new Date(NaN) },
      { ...range, id: '' },
    ]) {
      await expect(schedules.backfill('report', bad)).rejects.toThrow(OptionError);
    }
  });

  it('counts a long range without holding up the process', async () => {
    const { t, schedules, drained } = await staged();
    const message = new SendReport({ to: 'all' });
    await drained(schedules.put('report', { cron: '* * * * * *', message }));
    let others = 0;
    const timer = setInterval(() => others++, 1);
    onTestFinished(() => clearInterval(timer));
    const range = { from: new Date(t.now.getTime() - 10 * HOUR), to: t.now, dryRun: true };
    expect(await schedules.backfill('report', range)).toMatchObject({ count: 36_000 });
    expect(others).toBeGreaterThan(5);
    const long = { ...range, from: new Date(t.now.getTime() - 30 * HOUR) };
    await expect(schedules.backfill('report', long)).rejects.toThrow('more than 100000');
  });

  it('tells of failures, and pauses after too many', async () => {
    const { t, told, schedules, drained, hourly } = await staged();
    const message = new SendReport({ to: 'nobody' });
    await drained(schedules.put('report', hourly({ message, pauseAfter: 2 })));
    await t.advance(5 * HOUR);
    expect(await schedules.get('report')).toMatchObject({
      state: 'paused',
      failures: 2,
      pause: { reason: '2 runs in a row failed: nobody is there' },
      last: { outcome: 'failed', error: { message: 'nobody is there' } },
    });
    await drained(schedules.put('well', hourly()));
    const { rule, ...definition } = toDefinition('lost', { cron: '0 9 * * *', message });
    await t.actors.tell(
      new PutSchedule({
        key: 'lost',
        definition: { ...definition, rule: { ...rule, tz: 'No/Where' } },
      }),
    );
    await t.drain();
    const troubled = await schedules.list({ troubled: true });
    expect(troubled).toMatchObject([
      { id: 'lost', state: 'broken' },
      { id: 'report', state: 'paused' },
    ]);
    expect(await schedules.list({ troubled: true, after: 'lost', limit: 1 })).toHaveLength(1);
    expect(await schedules.list({ troubled: true, after: 'report' })).toEqual([]);
    expect(await schedules.list({ troubled: true, state: 'active' })).toEqual([]);
    expect(await schedules.list({ troubled: false })).toHaveLength(3);
    expect(told.map(({ kind }) => kind)).toEqual(['failing', 'failing', 'paused', 'dead']);
    expect(toldOf(await schedules.history('report'))).toEqual([
      'created',
      ...['fired', 'failed', 'fired', 'failed', 'paused'],
    ]);
  });

  it('goes on when somebody has taken the id of a run', async () => {
    const { t, sent, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly({ catchUp: 'all' })));
    const { next } = (await schedules.get('report')) ?? {};
    const id = `run:report:${next?.getTime()}`;
    await t.actors.tell(new SendReport({ to: 'somebody else' }), { id });
    await t.advance(3 * HOUR);
    expect(sent.map(({ to }) => to)).toEqual(['somebody else', 'all', 'all', 'all']);
    expect(sent[1]?.turn.id).toBe(`${id}~3`);
  });

  it('tells when the turns of a schedule fail for good, again and again', async () => {
    const { t, told, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly()));
    const engine = t.get<Engine>(ENGINE);
    const find = engine.find.bind(engine);
    const dead = { state: 'dead', history: [{ error: { message: 'too large' } }] };
    engine.find = async (id, actors) => (id === 'due:report' ? (dead as never) : find(id, actors));
    for (const part of [0, 1, 2]) await t.actors.tell(new LookAfterSchedules({ part }));
    await t.drain();
    engine.find = find;
    const problem = 'its turn has failed too often: too large';
    expect(told.filter(({ kind }) => kind === 'dead')).toMatchObject([{ detail: problem }]);
    // Once for three looks within a minute.
    expect(told.filter(({ kind }) => kind === 'healed')).toMatchObject([{ detail: problem }]);
  });

  it('keeps at most what its journal is to keep, a thousand runs at least', async () => {
    const { t, schedules, drained, hourly } = await staged();
    await drained(schedules.put('report', hourly({ every: '1m', overlap: 'allow' })));
    await t.advance(1_600 * 60_000);
    let count = 0;
    for (let before: string | undefined; ;) {
      const page = await schedules.history('report', {
        limit: 1_000,
        ...(before !== undefined && { before }),
      });
      count += page.filter(({ kind }) => kind === 'end').length;
      before = page.at(-1)?.cursor;
      if (page.length < 1_000) break;
    }
    expect(count).toBe(1_500);
  }, 60_000);

  it.each([
    ['', {}],
    ['a b', {}],
    ['x'.repeat(101), {}],
    ['ok', { every: undefined, cron: '* * * *' }],
    ['ok', { cron: '* * * * *' }],
    ['ok', { message: {} }],
    ['ok', { nonsense: 1 }],
    ['ok', { description: 'a\0b' }],
    ['ok', { exclude: { dates: '12-25', hours: '\0' } }],
    ['ok', { seed: '\ud800' }],
  ])('refuses %j with %j', async (id, more) => {
    const { schedules, hourly } = await staged();
    await expect(schedules.put(id, hourly(more as never))).rejects.toThrow(OptionError);
  });
});

it('what schedules decide is counted', async () => {
  const app = await Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url: 'memory:' }), SchedulerModule],
  }).compile();
  app.useLogger(false);
  await app.init();
  onTestFinished(() => app.close());
  app.get(ScheduleMetrics).count({
    rows: [
      { kind: 'occurrence', outcome: 'missed', nominal: 1, until: 3, count: 3, at: 5 },
      { kind: 'end', run: 'r', nominal: 1, outcome: 'failed', at: 5 },
      { kind: 'note', what: 'healed', at: 5 },
    ],
    troubles: [{ kind: 'missed', count: 3, detail: '' }],
  });
  const text = await app.get<Metrics>(METRICS).text();
  expect(text).toContain('callsheet_schedule_occurrences_total{outcome="missed"} 3');
  expect(text).toContain('callsheet_schedule_runs_total{outcome="failed"} 1');
  expect(text).toContain('callsheet_schedule_troubles_total{kind="missed"} 3');
});
