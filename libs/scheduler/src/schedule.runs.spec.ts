import { describe, expect, it } from 'vitest';
import { CATCH_UPS, HOUR, MINUTE, staged, T0 } from '../../../test/support/schedule.stage.js';
import { OVERLAPS, type Overlap } from './policies.js';

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
  const cells = OVERLAPS.flatMap((overlap) =>
    CATCH_UPS.map((catchUp) => [overlap, catchUp] as const),
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

  it('of an earlier life leave nothing', () => {
    const stage = staged({ every: '1h' }, { pauseAfter: 1 });
    const end = { id: 'run:s:1', outcome: 'failed', nominal: 1, finishedAt: T0 - 1 } as const;
    const before = stage.rows.length;
    stage.turn((schedule) => schedule.ended(end));
    expect(stage.rows.slice(before)).toEqual([]);
    expect(stage.state).toMatchObject({ failures: 0 });
  });

  it('that were found to have ended tell their result later', () => {
    const stage = staged({ every: '1h' });
    stage.advance(T0 + HOUR);
    const id = stage.sent[0] ?? '';
    const end = { id, outcome: 'succeeded', nominal: T0 + HOUR, finishedAt: stage.now } as const;
    stage.turn((schedule) => schedule.foundEnded(end));
    const before = structuredClone(stage.state);
    const told = { ...end, result: { rows: 3 } };
    stage.turn((schedule) => schedule.ended(told));
    expect(stage.state.last).toMatchObject({ outcome: 'succeeded', result: { rows: 3 } });
    // Not when another one has ended meanwhile.
    stage.state = before;
    stage.advance(T0 + 2 * HOUR);
    stage.end(stage.sent[1] ?? '');
    stage.turn((schedule) => schedule.ended(told));
    expect(stage.state.last).not.toHaveProperty('result');
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
