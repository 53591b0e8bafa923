import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unaccounted, type Span } from '../../../test/support/schedule.oracle.js';
import { checkPolicies, type CatchUp, type Overlap, type SchedulePolicies } from './policies.js';
import { checkRule, nextOccurrence, type ScheduleRule } from './rule/index.js';
import { Schedule, stateProblem } from './schedule.js';
import type { OccurrenceRow, ScheduleRow } from './schedule.journal.js';
import { pastOf, recover } from './schedule.recovery.js';
import { scheduleState, storedSchedule, type Definition } from './schedule.state.js';
import { ringProblem, timerProblem } from './timer.js';

const T0 = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function definitionOf(rule: ScheduleRule, policies: SchedulePolicies = {}): Definition {
  return {
    rule: checkRule(rule, '', 's'),
    message: { type: 'mail.send', actor: 'mail', version: 1, data: {} },
    policies: checkPolicies(policies, ''),
    tags: [],
  };
}

/** A schedule with a clock, a journal, and runs that end when told to. */
class Stage {
  now = T0;
  state = scheduleState.parse({});
  readonly rows: ScheduleRow[] = [];
  readonly sent: string[] = [];
  readonly cancelled: string[] = [];
  readonly troubles: string[] = [];
  private turns = 0;

  /** One turn. */
  turn<T>(work: (schedule: Schedule) => T = () => undefined as T): T {
    const schedule = new Schedule('s', structuredClone(this.state), this.now, `c${this.turns++}`);
    const answer = work(schedule);
    const timer = schedule.settle();
    this.state = scheduleState.parse(JSON.parse(JSON.stringify(schedule.state)));
    this.state.timer = timer;
    this.rows.push(...schedule.rows);
    this.sent.push(...schedule.runs.map(({ id }) => id));
    this.cancelled.push(...schedule.cancels);
    this.troubles.push(...schedule.troubles.map(({ kind }) => kind));
    return answer;
  }

  /** Time goes by, and the timer rings whenever it is due. */
  advance(to: number): void {
    for (let turns = 0; turns < 10_000; turns++) {
      const { timer = Infinity } = this.state;
      if (timer > to) break;
      this.now = Math.max(this.now, timer);
      this.turn();
    }
    this.now = to;
  }

  /** Time goes by and nothing rings. */
  sleep(to: number): void {
    this.now = to;
  }

  end(id: string, outcome: 'succeeded' | 'failed' | 'cancelled' = 'succeeded'): void {
    const nominal = Number(id.split(':')[2]);
    const error = outcome === 'failed' ? { error: { name: 'Error', message: 'no' } } : {};
    const run = { id, outcome, nominal, startedAt: this.now, finishedAt: this.now, attempts: 1 };
    this.turn((schedule) => schedule.ended({ ...run, ...error }));
  }

  /** Ends whatever is in work. */
  endAll(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const [run] = this.state.running;
      if (!run) return;
      this.end(run.id, run.stopped ? 'cancelled' : 'succeeded');
    }
  }

  decisions(): { nominal: number; outcome: string; count: number }[] {
    return this.rows
      .filter((row): row is OccurrenceRow => row.kind === 'occurrence')
      .map(({ nominal, outcome, count = 1 }) => ({ nominal, outcome, count }));
  }

  outcomes(): string[] {
    return this.decisions().flatMap(({ outcome, count }) => Array<string>(count).fill(outcome));
  }
}

function staged(rule: ScheduleRule, policies: SchedulePolicies = {}): Stage {
  const stage = new Stage();
  stage.turn((schedule) => schedule.put(definitionOf(rule, policies)));
  return stage;
}

describe('a schedule', () => {
  it('fires each occurrence once, at its time', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    expect(stage.state.timer).toBe(T0 + HOUR);
    stage.advance(T0 + 3 * HOUR);
    expect(stage.sent).toEqual([1, 2, 3].map((n) => `run:s:${T0 + n * HOUR}`));
    expect(stage.state.timer).toBe(T0 + 4 * HOUR);
    expect(stage.outcomes()).toEqual(['fired', 'fired', 'fired']);
  });

  it('does nothing when its timer rings early, and asks for it again', () => {
    const stage = staged({ every: '1h' });
    stage.sleep(T0 + HOUR - 1);
    stage.turn();
    expect(stage.sent).toEqual([]);
    expect(stage.state.timer).toBe(T0 + HOUR);
  });

  it('has no turn to take when no occurrence is left, and no run is in work', () => {
    const stage = staged({ every: '1h', limit: 2 }, { overlap: 'allow' });
    stage.advance(T0 + 10 * HOUR);
    expect(stage.sent).toHaveLength(2);
    // Looks for them, less and less often.
    expect((stage.state.timer ?? 0) - stage.now).toBeGreaterThan(30 * MINUTE);
    stage.endAll();
    expect(stage.state.timer).toBeUndefined();
  });

  it('asks for its timer again and again when the next occurrence is years away', () => {
    const stage = staged({ at: '2029-01-01T00:00:00Z' });
    stage.advance(Date.UTC(2029, 0, 1));
    expect(stage.sent).toEqual([`run:s:${Date.UTC(2029, 0, 1)}`]);
  });

  it('runs later than nominal by its window, and decides it only then', () => {
    const stage = staged({ every: '1h', window: '30m', seed: 'b' }, { overlap: 'allow' });
    const due = stage.state.timer ?? 0;
    expect(due).toBeGreaterThan(T0 + HOUR);
    expect(due).toBeLessThan(T0 + 1.5 * HOUR);
    stage.sleep(due - 1);
    stage.turn();
    expect(stage.sent).toEqual([]);
    stage.advance(due);
    expect(stage.sent).toEqual([`run:s:${T0 + HOUR}`]);
  });
});

describe('catching up after six hours without anybody, an occurrence each hour', () => {
  const late = 6 * HOUR + 30 * MINUTE;
  it.each<[CatchUp, string[]]>([
    ['none', Array<string>(6).fill('missed')],
    ['latest', [...Array<string>(5).fill('coalesced'), 'late']],
    ['all', Array<string>(6).fill('late')],
    [{ last: 2 }, [...Array<string>(4).fill('missed'), 'late', 'late']],
    [{ within: '3h' }, [...Array<string>(3).fill('missed'), 'late', 'late', 'late']],
  ])('%j', (catchUp, outcomes) => {
    const stage = staged({ every: '1h' }, { catchUp, overlap: 'allow' });
    stage.sleep(T0 + late);
    stage.turn();
    expect(stage.outcomes()).toEqual(outcomes);
    expect(stage.sent).toHaveLength(outcomes.filter((each) => each === 'late').length);
    const expected = [
      ...(outcomes.some((each) => each === 'missed' || each === 'coalesced') ? ['missed'] : []),
      ...(outcomes.includes('late') ? ['late'] : []),
    ];
    expect(stage.troubles).toEqual(expected);
    // Within the grace nothing is late.
    stage.sleep(T0 + 7 * HOUR + 59_000);
    stage.turn();
    expect(stage.outcomes().at(-1)).toBe('fired');
  });

  it('takes a few turns when there is much to decide, and comes to the same', () => {
    const stage = staged({ every: '1s' }, { catchUp: { last: 3 }, overlap: 'allow' });
    stage.sleep(T0 + 48 * HOUR);
    stage.turn();
    expect(stage.state.timer).toBe(stage.now);
    stage.advance(stage.now);
    const all = stage.decisions();
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(48 * 3_600);
    expect(stage.outcomes().filter((each) => each === 'late')).toHaveLength(3);
    expect(stage.outcomes().filter((each) => each === 'fired')).toHaveLength(61);
    expect(all.length).toBeLessThan(500);
  });
});

describe('an occurrence while a run is in work', () => {
  const each: [
    Overlap,
    { after2: string[]; sent: number; cancelled: number; afterEnd: string[] },
  ][] = [
    ['skip', { after2: ['fired', 'skipped', 'skipped'], sent: 1, cancelled: 0, afterEnd: [] }],
    ['buffer-one', { after2: ['fired', 'skipped'], sent: 1, cancelled: 0, afterEnd: ['fired'] }],
    ['buffer-all', { after2: ['fired'], sent: 1, cancelled: 0, afterEnd: ['fired', 'fired'] }],
    ['cancel-other', { after2: ['fired', 'skipped'], sent: 1, cancelled: 1, afterEnd: ['fired'] }],
    [
      'terminate-other',
      { after2: Array<string>(3).fill('fired'), sent: 3, cancelled: 2, afterEnd: [] },
    ],
    ['allow', { after2: Array<string>(3).fill('fired'), sent: 3, cancelled: 0, afterEnd: [] }],
  ];
  it.each(each)('%s', (overlap, { after2, sent, cancelled, afterEnd }) => {
    const stage = staged({ every: '1h' }, { overlap });
    stage.advance(T0 + 3 * HOUR);
    expect(stage.outcomes()).toEqual(after2);
    expect(stage.sent).toHaveLength(sent);
    expect(stage.cancelled).toHaveLength(cancelled);
    stage.endAll();
    expect(stage.outcomes().slice(after2.length)).toEqual(afterEnd);
    expect(stage.state.running).toEqual([]);
    // Of each nominal time one decision.
    const nominal = stage.decisions().map((decision) => decision.nominal);
    expect(new Set(nominal).size).toBe(stage.decisions().length);
  });

  it.each<Overlap>(['cancel-other', 'terminate-other'])(
    '%s: of several that are caught up at once the last runs, and the others are not sent',
    (overlap) => {
      const stage = staged({ every: '1h' }, { overlap, catchUp: 'all' });
      stage.advance(T0 + HOUR);
      stage.sleep(T0 + 4 * HOUR);
      stage.turn();
      stage.endAll();
      expect(stage.outcomes().sort()).toEqual(['fired', 'fired', 'skipped', 'skipped']);
      expect(stage.sent).toEqual([1, 4].map((n) => `run:s:${T0 + n * HOUR}`));
      expect(stage.cancelled).toEqual([`run:s:${T0 + HOUR}`]);
    },
  );

  it('buffers a thousand, and skips more', () => {
    const stage = staged({ every: '1s' }, { overlap: 'buffer-all' });
    stage.advance(T0 + 1_002_000);
    expect(stage.state.buffer).toHaveLength(1_000);
    expect(stage.outcomes()).toEqual(['fired', 'skipped']);
    // A turn can leave a thousand rows.
    stage.turn((schedule) => schedule.trigger('terminate-other'));
    expect(stage.decisions().slice(2)).toEqual([
      { nominal: T0 + 2_000, outcome: 'skipped', count: 1_000 },
      { nominal: stage.now, outcome: 'triggered', count: 1 },
    ]);
  }, 60_000);
});

describe('every overlap policy with every way to catch up', () => {
  const overlaps: Overlap[] = [
    'skip',
    'buffer-one',
    'buffer-all',
    'cancel-other',
    'terminate-other',
    'allow',
  ];
  const catchUps: CatchUp[] = ['none', 'latest', 'all', { last: 3 }, { within: '2h' }];
  const cells = overlaps.flatMap((overlap) =>
    catchUps.map((catchUp) => [overlap, catchUp] as const),
  );
  it.each(cells)(
    '%s, %j: each occurrence is accounted for once, runs overlap only where allowed',
    (overlap, catchUp) => {
      const stage = staged({ every: '10m' }, { overlap, catchUp });
      let most = 0;
      for (let hour = 1; hour <= 24; hour++) {
        const to = T0 + hour * HOUR;
        if (hour % 4 === 0) {
          stage.sleep(to);
          stage.turn();
        } else stage.advance(to);
        most = Math.max(
          most,
          stage.state.running.filter(({ stopped }) => stopped !== 'terminated').length,
        );
        if (hour % 3 === 0) stage.endAll();
      }
      stage.endAll();
      expect(most).toBeLessThanOrEqual(overlap === 'allow' ? Infinity : 1);
      const counts = stage.decisions().map(({ count }) => count);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(24 * 6);
    },
  );
});

describe('a pause', () => {
  it('keeps occurrences from running, records them, and ends when it is to', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + HOUR);
    stage.turn((schedule) => schedule.pause('maintenance', T0 + 4 * HOUR + 1));
    stage.advance(T0 + 5 * HOUR);
    expect(stage.outcomes()).toEqual(['fired', 'paused', 'paused', 'paused', 'fired']);
    expect(stage.rows.filter(({ kind }) => kind === 'note')).toMatchObject([
      { what: 'created' },
      { what: 'paused', detail: 'maintenance' },
      { what: 'resumed' },
    ]);
  });

  it('without an end lasts until somebody resumes', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow', catchUp: 'all' });
    stage.turn((schedule) => schedule.pause('stop'));
    expect(stage.state.timer).toBeUndefined();
    stage.sleep(T0 + 3 * HOUR + 1);
    expect(stage.turn((schedule) => schedule.resume())).toBe(true);
    expect(stage.turn((schedule) => schedule.resume())).toBe(false);
    expect(stage.outcomes()).toEqual(['paused', 'paused', 'paused']);
    stage.advance(T0 + 4 * HOUR);
    expect(stage.outcomes().at(-1)).toBe('fired');
  });

  it('holds back what waits for a run to end', () => {
    const stage = staged({ every: '1h' }, { overlap: 'buffer-all' });
    stage.advance(T0 + 2 * HOUR);
    stage.turn((schedule) => schedule.pause('stop'));
    stage.endAll();
    expect(stage.sent).toHaveLength(1);
    stage.turn((schedule) => schedule.resume());
    expect(stage.sent).toHaveLength(2);
  });

  it('comes by itself after so many failures in a row, and counts anew after it', () => {
    const stage = staged({ every: '1h' }, { pauseAfter: 2 });
    for (const hour of [1, 2]) {
      stage.advance(T0 + hour * HOUR);
      stage.end(stage.sent.at(-1) ?? '', 'failed');
    }
    expect(stage.state.pause).toMatchObject({ reason: '2 runs in a row failed: no' });
    expect(stage.troubles).toEqual(['failing', 'failing', 'paused']);
    stage.turn((schedule) => schedule.resume());
    expect(stage.state.failures).toBe(0);
  });
});

describe('an edit', () => {
  it('never drops an overdue run, and begins at once', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow', catchUp: 'all' });
    stage.sleep(T0 + 2 * HOUR + 10 * MINUTE);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '7m' }, { overlap: 'allow' })));
    expect(stage.sent).toEqual([`run:s:${T0 + HOUR}`, `run:s:${T0 + 2 * HOUR}`]);
    const next = nextOccurrence(checkRule({ every: '7m' }, '', 's'), stage.now);
    expect(stage.state.timer).toBe(next);
    expect(stage.state.successors).toEqual([]);
  });

  it('to the same changes nothing', () => {
    const stage = staged({ every: '1h' });
    const before = structuredClone(stage.state);
    stage.sleep(T0 + MINUTE);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1h' })));
    expect(stage.state).toEqual(before);
  });

  it('of something else than the rule goes on counting', () => {
    const stage = staged({ every: '1h', limit: 3 }, { overlap: 'allow' });
    stage.advance(T0 + 2 * HOUR);
    const policies = { overlap: 'allow', timeout: '5m' } as const;
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1h', limit: 3 }, policies)));
    stage.advance(T0 + 9 * HOUR);
    expect(stage.sent).toHaveLength(3);
  });

  it('of a paused schedule counts at once', () => {
    const stage = staged({ every: '1h' });
    stage.turn((schedule) => schedule.pause('stop'));
    stage.sleep(T0 + 2 * HOUR + 1);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1d' })));
    expect(stage.state.definition?.rule.every).toBe(24 * HOUR);
    expect(stage.outcomes()).toEqual(['paused', 'paused']);
    expect(stage.state.pause).toMatchObject({ reason: 'stop' });
  });
});

describe('what people ask for', () => {
  it('a run now, as its own policy says or another', () => {
    const stage = staged({ every: '1h' });
    const first = stage.turn((schedule) => schedule.trigger(undefined));
    expect(first).toEqual({ outcome: 'started', run: `run:s:${T0}:manual:c1` });
    expect(stage.turn((schedule) => schedule.trigger(undefined))).toEqual({ outcome: 'skipped' });
    expect(stage.turn((schedule) => schedule.trigger('allow'))).toMatchObject({
      outcome: 'started',
    });
    expect(stage.outcomes()).toEqual(['triggered', 'skipped', 'triggered']);
  });

  it('runs of a range of time, one after the other, once', () => {
    const stage = staged({ every: '1h' });
    const ask = () => stage.turn((schedule) => schedule.backfill('b', T0 - 3 * HOUR, T0, false));
    expect(ask()).toBe('begun');
    expect(stage.sent).toHaveLength(1);
    expect(ask()).toBe('known');
    stage.endAll();
    expect(ask()).toBe('known');
    expect(stage.decisions()).toEqual(
      [2, 1, 0].map((n) => ({ nominal: T0 - n * HOUR, outcome: 'backfilled', count: 1 })),
    );
  });

  it('runs of a range of time side by side, in turns of five hundred', () => {
    const stage = staged({ every: '1m' }, { overlap: 'allow' });
    stage.turn((schedule) => schedule.backfill('b', T0 - 800 * MINUTE, T0, true));
    expect(stage.sent).toHaveLength(500);
    expect(stage.state.timer).toBe(T0);
    stage.turn();
    expect(stage.sent).toHaveLength(800);
    expect(stage.state.backfills).toEqual([]);
  });

  it('at most ten ranges at a time', () => {
    const stage = staged({ every: '1h' });
    const ask = (n: number) =>
      stage.turn((schedule) => schedule.backfill(`b${n}`, T0 - 3 * HOUR, T0, false));
    for (let n = 0; n < 10; n++) expect(ask(n)).toBe('begun');
    expect(ask(10)).toBe('full');
  });
});

describe('runs', () => {
  it('that take too long are cancelled, and count as failed', () => {
    const stage = staged({ every: '1h' }, { timeout: '10m', pauseAfter: 1 });
    stage.advance(T0 + HOUR + 5 * MINUTE);
    expect(stage.cancelled).toEqual([]);
    stage.advance(T0 + HOUR + 10 * MINUTE);
    expect(stage.cancelled).toEqual([`run:s:${T0 + HOUR}`]);
    stage.end(`run:s:${T0 + HOUR}`, 'cancelled');
    expect(stage.rows.findLast(({ kind }) => kind === 'end')).toMatchObject({
      outcome: 'timed-out',
    });
    expect(stage.state.pause).toBeDefined();
  });

  it('that were found to have ended are not told twice', () => {
    const stage = staged({ every: '1h' });
    stage.advance(T0 + HOUR);
    const id = `run:s:${T0 + HOUR}`;
    const end = { id, outcome: 'succeeded', nominal: T0 + HOUR, finishedAt: stage.now } as const;
    stage.turn((schedule) => schedule.foundEnded(end));
    stage.end(id);
    expect(stage.rows.filter(({ kind }) => kind === 'end')).toHaveLength(1);
  });

  it('leave their result to the next', () => {
    const stage = staged({ every: '1h' });
    stage.advance(T0 + HOUR);
    const id = stage.sent[0] ?? '';
    const end = { id, nominal: T0 + HOUR, finishedAt: stage.now, result: { rows: 3 } };
    stage.turn((schedule) => schedule.ended({ ...end, outcome: 'succeeded' }));
    expect(stage.state.last).toMatchObject({ outcome: 'succeeded', result: { rows: 3 } });
  });
});

describe('a state that somebody has changed', () => {
  it.each([
    ['earlier', -5 * HOUR],
    ['later', 5 * HOUR],
  ])('so that it goes on %s goes on where it was', (_, by) => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + 3 * HOUR);
    stage.state.watermark += by;
    expect(stateProblem(stage.state, stage.now)).toBeDefined();
    stage.turn((schedule) => expect(schedule.mend()).toBeDefined());
    expect(stateProblem(stage.state, stage.now)).toBeUndefined();
    stage.advance(T0 + 5 * HOUR);
    expect(stage.sent).toEqual([1, 2, 3, 4, 5].map((n) => `run:s:${T0 + n * HOUR}`));
  });

  it('to another definition than the declared one counts as never changed', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    const declared = structuredClone(stage.state.definition as Definition);
    Object.assign(stage.state.definition ?? {}, definitionOf({ every: '7h' }));
    stage.sleep(T0 + 3 * HOUR);
    expect(stage.turn((schedule) => schedule.correct(declared))).toBe('changed');
    expect(stage.turn((schedule) => schedule.correct(declared))).toBe('unchanged');
    expect(stage.decisions().map(({ nominal }) => nominal)).toEqual(
      [1, 2, 3].map((n) => T0 + n * HOUR),
    );
  });

  it('so that it is none keeps its definition, if that can be read, and what was found', () => {
    const { state } = staged({ every: '1h' });
    const found = storedSchedule.parse({ ...state, watermark: 'yesterday' });
    expect(found.definition).toEqual(state.definition);
    expect(found.damage?.problem).toMatch(/^its state could not be read: watermark: /);
    expect(found.damage?.found).toContain('yesterday');
    const nothing = storedSchedule.parse({ definition: 'every day' });
    expect(nothing.definition).toBeUndefined();
    expect(storedSchedule.parse(state)).toEqual(state);
    // It can be stored.
    expect(storedSchedule.parse(nothing)).toEqual(nothing);
  });

  it('goes on where its journal ends, with the runs that are in work', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + 3 * HOUR);
    stage.end(`run:s:${T0 + HOUR}`);
    const rows = stage.rows.map((row, n) => ({ id: `${n}`, at: row.at, row: row as never }));
    const { definition } = stage.state;
    const lost = { ...scheduleState.parse({}), definition };
    recover(lost, pastOf(rows.reverse()), stage.now);
    const { watermark, previous, running } = stage.state;
    expect(lost).toMatchObject({ createdAt: T0, watermark, previous, running });
    recover(lost, undefined, stage.now);
    expect(lost).toMatchObject({ createdAt: stage.now, watermark: stage.now, running: [] });
  });
});

describe('a timer that rings', () => {
  const ring = { id: 'due:s', now: T0, at: T0 };
  it.each([
    [ring, { timer: T0 }, undefined],
    [{ ...ring, now: T0 - 1_000 }, { timer: T0 }, undefined],
    [{ ...ring, now: T0 - HOUR }, { timer: T0 }, 'its timer rang too early'],
    [{ ...ring, at: T0 - 1 }, { timer: T0 }, 'its timer was set to another time'],
    [ring, {}, 'it had no timer'],
    [{ ...ring, id: 'schedules-1' }, { timer: T0 }, 'it had a second timer'],
  ])('%j of %j', (rung, state, problem) => {
    expect(ringProblem('s', rung, state)).toBe(problem);
  });
});

describe('timerProblem', () => {
  const timer = T0 + 3 * HOUR;
  const find = async () => ({ state: 'delayed', envelope: { dueAt: timer } }) as never;

  it.each([
    [T0 + HOUR + 5_000, undefined],
    [T0 + HOUR + 5_001, 'its timer was set too late'],
    [timer + 5_000, undefined],
    [timer + 5_001, 'its timer was overdue'],
  ])('two hours late, at %i: %s', async (now, problem) => {
    const state = { ...staged({ every: '1h' }).state, timer };
    expect(await timerProblem({ find }, 's', state, now)).toBe(problem);
  });
});

/** What a random life of a schedule is made of. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('advance'), by: fc.integer({ min: 1, max: 5 * HOUR }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('sleep'), by: fc.integer({ min: 1, max: 48 * HOUR }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pause'),
      by: fc.option(fc.integer({ min: 1, max: 48 * HOUR })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put'), which: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end'), failed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trigger') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ring') }) },
) as fc.Arbitrary<{ do: string; by?: number | null; which?: number; failed?: boolean }>;

const RULES: ScheduleRule[] = [
  { every: '17m' },
  { every: '1h', window: '20m', jitter: '3m' },
  { cron: '*/30 * * * *', tz: 'Europe/Madrid' },
  { every: '5m', phase: '1m' },
];

describe('whatever happens', () => {
  it('every occurrence is accounted for exactly once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Overlap>(
          'skip',
          'buffer-one',
          'buffer-all',
          'cancel-other',
          'terminate-other',
          'allow',
        ),
        fc.constantFrom<CatchUp>('none', 'latest', 'all', { last: 3 }, { within: '2h' }),
        fc.array(step, { minLength: 3, maxLength: 40 }),
        (overlap, catchUp, steps) => {
          const policies = { overlap, catchUp, pauseAfter: 4 };
          const rules = RULES.map((rule) => definitionOf(rule, policies));
          const stage = new Stage();
          const spans: Span[] = [];
          const put = (which: number): void => {
            const definition = rules[which] as Definition;
            if (spans.at(-1)?.rule !== definition.rule) {
              spans.push({ rule: definition.rule, from: stage.now });
            }
            stage.turn((schedule) => schedule.put(definition));
          };
          put(0);
          for (const each of steps) {
            if (each.do === 'advance') stage.advance(stage.now + (each.by ?? 0));
            if (each.do === 'sleep') stage.sleep(stage.now + (each.by ?? 0));
            if (each.do === 'ring') stage.turn();
            if (each.do === 'pause') {
              const until = each.by ? stage.now + each.by : undefined;
              stage.turn((schedule) => schedule.pause('test', until));
            }
            if (each.do === 'resume') stage.turn((schedule) => schedule.resume());
            if (each.do === 'put') put(each.which ?? 0);
            if (each.do === 'trigger') stage.turn((schedule) => schedule.trigger(undefined));
            const [run] = stage.state.running;
            if (each.do === 'end' && run) {
              stage.end(run.id, run.stopped ? 'cancelled' : each.failed ? 'failed' : 'succeeded');
            }
          }
          stage.turn((schedule) => schedule.resume());
          stage.advance(stage.now + 3 * HOUR);
          for (let rounds = 0; rounds < 5; rounds++) stage.endAll();
          expect(stage.state.buffer).toEqual([]);
          expect(unaccounted(stage.rows, spans, stage.state.watermark)).toEqual([]);
        },
      ),
      { numRuns: Number(process.env['SCHEDULE_RUNS'] ?? 100) },
    );
  }, 600_000);
});
