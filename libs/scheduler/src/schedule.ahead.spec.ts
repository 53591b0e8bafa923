import { describe, expect, it } from 'vitest';
import { definitionOf, HOUR, MINUTE, staged, T0 } from '../../../test/support/schedule.stage.js';
import type { CatchUp, SchedulePolicies } from './policies.js';
import type { ScheduleRule } from './rule/index.js';
import { Schedule, LEAD, TOLD_AFTER } from './schedule.js';
import { runData } from './scheduled.run.js';

const RUN = `run:s:${T0 + HOUR}`;

/** A schedule whose next run has been sent, and is due in three seconds. */
function sentAhead(...[rule, policies]: Partial<Parameters<typeof staged>>) {
  const stage = staged(rule ?? { every: '1h' }, policies);
  stage.advance(T0 + HOUR - 3_000);
  expect(stage.state.ahead).toEqual({ id: RUN, actor: 'mail', nominal: T0 + HOUR, at: T0 + HOUR });
  return stage;
}

describe('a run that is sent before its time', () => {
  it('is decided by its end, in one turn and with one row each', () => {
    const stage = sentAhead();
    expect(stage.decisions()).toEqual([]);
    expect(stage.state).toMatchObject({ watermark: T0, decided: 0, running: [] });
    stage.sleep(T0 + HOUR + 200);
    stage.end(RUN);
    expect(stage.rows.slice(1)).toMatchObject([
      { kind: 'occurrence', outcome: 'fired', nominal: T0 + HOUR, at: T0 + HOUR, run: RUN },
      { kind: 'end', run: RUN, outcome: 'succeeded' },
    ]);
    expect(stage.state).toMatchObject({ watermark: T0 + HOUR, previous: T0 + HOUR, decided: 1 });
    expect(stage.state.ahead).toBeUndefined();
    expect(stage.sent).toEqual([RUN]);
    expect(stage.state.timer).toBe(T0 + 2 * HOUR - LEAD);
  });

  it('is noted as in work a second after it has begun, and counts from then', () => {
    const stage = sentAhead(undefined, { timeout: '10m' });
    expect(stage.state.timer).toBe(T0 + HOUR + 1_000);
    stage.sleep(T0 + HOUR + 1_000);
    stage.turn();
    expect(stage.state.running).toEqual([
      {
        id: RUN,
        actor: 'mail',
        nominal: T0 + HOUR,
        reason: 'scheduled',
        startedAt: T0 + HOUR,
        deadline: T0 + HOUR + 10 * MINUTE,
      },
    ]);
    expect(stage.state.timer).toBe(T0 + HOUR + 10 * MINUTE);
  });

  it('is told to stop when its time is up, however short that is', () => {
    const stage = sentAhead(undefined, { timeout: 300 });
    expect(stage.state.timer).toBe(T0 + HOUR + 300);
    stage.sleep(T0 + HOUR + 300);
    stage.turn();
    expect(stage.cancelled).toEqual([RUN]);
  });

  it('does not make the next one late', () => {
    const stage = staged({ every: '500ms' }, { overlap: 'allow' });
    expect(stage.state.ahead?.nominal).toBe(T0 + 500);
    expect(stage.state.timer).toBe(T0 + 1_000);
    stage.advance(T0 + 1_000);
    expect(stage.outcomes()).toEqual(['fired', 'fired']);
  });

  it.each<[ScheduleRule, SchedulePolicies & { isOccurrence?: true }, number, boolean]>([
    [{ every: '1h' }, {}, T0 + HOUR, true],
    [{ every: '1h', limit: 1 }, {}, T0 + HOUR, true],
    [{ every: '1h' }, { timeout: '5s' }, T0 + HOUR, true],
    [{ every: '1h' }, { timeout: 300 }, T0 + HOUR, false],
    [{ every: '1h' }, { isOccurrence: true }, T0 + HOUR, false],
    [{ every: '5s' }, {}, T0 + 5_000, true],
    [{ every: '4s' }, {}, T0 + 4_000, false],
    [{ every: '1s' }, {}, T0 + 1_000, false],
  ])('has its end told a little later, if there is time: %j %j', (rule, more, nominal, isLater) => {
    const { isOccurrence, ...policies } = more;
    const state = { ...staged(rule, policies).state, ahead: undefined };
    Object.assign(state.definition ?? {}, { isOccurrence });
    const schedule = new Schedule('s', state, nominal - 500, '');
    schedule.settle();
    const { sent } = schedule.runs;
    expect(sent).toMatchObject([{ nominal, at: nominal }]);
    expect(sent[0]?.toldFrom).toBe(isLater ? nominal + TOLD_AFTER : undefined);
  });

  it('takes two turns, not three, where the next is due soon', () => {
    const stage = staged({ every: '1s' });
    for (let n = 1; n <= 3; n++) {
      stage.sleep(T0 + n * 1_000 + 10);
      stage.end(`run:s:${T0 + n * 1_000}`);
      expect(stage.state.ahead?.nominal).toBe(T0 + (n + 1) * 1_000);
    }
    expect(stage.outcomes()).toEqual(['fired', 'fired', 'fired']);
  });

  it('may begin before its time when somebody wants it to', () => {
    const stage = sentAhead();
    stage.end(RUN);
    expect(stage.rows.slice(1)).toMatchObject([
      { outcome: 'fired', nominal: T0 + HOUR, at: stage.now },
      { kind: 'end', outcome: 'succeeded' },
    ]);
    stage.advance(T0 + HOUR + MINUTE);
    expect(stage.outcomes()).toEqual(['fired']);
    expect(stage.state.watermark).toBe(T0 + HOUR);
  });

  it('knows how many come after it', () => {
    const stage = staged({ every: '1h', limit: 3 });
    const run = { id: RUN, nominal: T0 + HOUR, reason: 'scheduled' } as const;
    expect(runData('s', { ...run, at: T0 + HOUR }, stage.state)).toMatchObject({ left: 2 });
    stage.advance(T0 + HOUR);
    expect(runData('s', run, stage.state)).toMatchObject({ left: 2 });
  });

  it('is the last if the rule has no other', () => {
    const stage = staged({ every: '1h', limit: 1 });
    stage.advance(T0 + HOUR - 1);
    stage.end(RUN);
    expect(stage.state.timer).toBeUndefined();
    expect(stage.state.ahead).toBeUndefined();
  });
});

describe('no run is sent before its time', () => {
  it('while one is in work, or something waits', () => {
    const stage = staged({ every: '1h' }, { overlap: 'buffer-one' });
    stage.turn((schedule) => schedule.trigger(undefined));
    stage.advance(T0 + HOUR - 1);
    expect(stage.state.timer).toBe(T0 + HOUR);
    expect(stage.state.ahead).toBeUndefined();
    stage.advance(T0 + 2 * HOUR);
    expect(stage.sent).toHaveLength(1);
  });

  it('by a process whose clock is so far ahead that it would begin at once', () => {
    const stage = staged({ every: '1h' });
    stage.sleep(T0 + HOUR - 3_000);
    for (const [clock, isSent] of [
      [T0 + HOUR - 250, true],
      [T0 + HOUR - 249, false],
      [T0 + HOUR + MINUTE, false],
      [T0 - HOUR, true],
    ] as const) {
      const schedule = new Schedule('s', structuredClone(stage.state), stage.now, '', 1, clock);
      const next = schedule.settle();
      expect(schedule.state.ahead !== undefined).toBe(isSent);
      expect(next).toBe(isSent ? T0 + HOUR + 1_000 : T0 + HOUR);
    }
  });

  it('in a pause, before an edit has come into force, beside a backfill, nor of a broken rule', () => {
    const stage = staged({ every: '1h' });
    stage.sleep(T0 + HOUR - 3_000);
    const { state } = stage;
    const definition = definitionOf({ every: '2h' });
    const [from, to] = [T0 - HOUR, T0];
    for (const hindrance of [
      { pause: { at: stage.now, since: stage.now, reason: 'x' } },
      { successors: [{ definition, from: stage.now }] },
      { backfills: [{ id: 'b', at: from, to }] },
    ]) {
      const schedule = new Schedule(
        's',
        { ...structuredClone(state), ...hindrance },
        stage.now,
        '',
      );
      schedule.settle();
      expect(schedule.state.ahead).toBeUndefined();
    }
  });
});

describe('a run that was sent before its time is taken back', () => {
  it('by a pause', () => {
    const stage = sentAhead();
    stage.turn((schedule) => schedule.pause('stop', T0 + HOUR + 1));
    expect(stage.sent).toEqual([]);
    stage.advance(T0 + 2 * HOUR);
    expect(stage.outcomes()).toEqual(['paused', 'fired']);
  });

  it('and runs under another id when the pause ends before it was due', () => {
    const stage = sentAhead();
    stage.turn((schedule) => schedule.pause('stop'));
    stage.turn((schedule) => schedule.resume());
    expect(stage.state.timer).toBe(T0 + HOUR);
    stage.advance(T0 + HOUR);
    expect(stage.sent).toEqual([`${RUN}:again`]);
    expect(stage.outcomes()).toEqual(['fired']);
    stage.end(`${RUN}:again`);
    // The next one is sent ahead again.
    stage.advance(T0 + 2 * HOUR - 1);
    expect(stage.state.ahead?.id).toBe(`run:s:${T0 + 2 * HOUR}`);
  });

  it('by edits there and back', () => {
    const stage = sentAhead();
    stage.turn((schedule) => schedule.put(definitionOf({ at: new Date(T0 + HOUR - 1_000) })));
    expect(stage.state.ahead?.nominal).toBe(T0 + HOUR - 1_000);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1h' })));
    expect(stage.state.ahead).toBeUndefined();
    stage.advance(T0 + HOUR);
    expect(stage.sent).toEqual([`${RUN}:again`]);
  });

  it('by an edit', () => {
    const stage = sentAhead();
    stage.turn((schedule) => schedule.put(definitionOf({ every: '7h' })));
    stage.advance(T0 + 6 * HOUR);
    expect(stage.sent).toEqual([]);
    expect(stage.outcomes()).toEqual([]);
  });

  it('by a run that somebody asks for, and does what its overlap policy says', () => {
    const stage = sentAhead();
    stage.turn((schedule) => schedule.trigger(undefined));
    stage.advance(T0 + HOUR);
    expect(stage.outcomes()).toEqual(['triggered', 'skipped']);
    expect(stage.sent).toHaveLength(1);
  });

  it('by a backfill, which it waits for', () => {
    const stage = sentAhead(undefined, { overlap: 'buffer-all' });
    stage.turn((schedule) => schedule.backfill('b', T0 - HOUR, T0, false));
    stage.advance(T0 + HOUR);
    expect(stage.outcomes()).toEqual(['backfilled']);
    stage.endAll();
    expect(stage.outcomes()).toEqual(['backfilled', 'fired']);
  });

  it('not when it has begun', () => {
    const stage = sentAhead();
    stage.begun.add(RUN);
    stage.turn((schedule) => schedule.pause('stop'));
    expect(stage.outcomes()).toEqual(['fired']);
    expect(stage.state.running).toMatchObject([{ id: RUN, startedAt: stage.now }]);
  });
});

describe('a run that was sent before its time, and nobody was there for six hours', () => {
  it.each<[CatchUp, string[], number]>([
    ['none', Array<string>(6).fill('missed'), 0],
    ['latest', [...Array<string>(5).fill('coalesced'), 'late'], 1],
    ['all', Array<string>(6).fill('late'), 6],
  ])('is decided as if it had not been: %s', (catchUp, outcomes, runs) => {
    const stage = sentAhead(undefined, { catchUp, overlap: 'allow' });
    stage.sleep(T0 + 6.5 * HOUR);
    stage.turn();
    expect(stage.outcomes()).toEqual(outcomes);
    expect(stage.sent).toHaveLength(runs);
    expect(stage.sent).not.toContain(RUN);
  });

  it('has fired if it has begun all the same, and is not the latest', () => {
    const stage = sentAhead(undefined, { overlap: 'allow' });
    stage.sleep(T0 + 6.5 * HOUR, true);
    stage.turn();
    const late = [...Array<string>(4).fill('coalesced'), 'late'];
    expect(stage.outcomes()).toEqual(['fired', ...late]);
  });

  it('has fired when its turn alone was late', () => {
    const stage = sentAhead(undefined, { catchUp: 'none', grace: 0 });
    stage.sleep(T0 + HOUR + LEAD);
    stage.turn();
    expect(stage.outcomes()).toEqual(['fired']);
  });
});
