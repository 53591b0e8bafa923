import { describe, expect, it } from 'vitest';
import { pauseEntry } from './pause.entry.js';

const SINCE = '2026-01-01T10:00:00.000Z';
const TARGET = 'schedules/a/b';

function entry(seconds: number, more: object = {}): Parameters<typeof pauseEntry>[0][number] {
  const at = new Date(Date.parse(SINCE) + seconds * 1_000).toISOString();
  const call = 'POST /v1/schedules/:id/pause';
  return {
    ...{ id: String(seconds), at, who: 'local', name: 'Ada', call, path: '', status: 200 },
    ...{ action: 'pause', target: 'schedules/a%2Fb', ...more },
  };
}

describe('the entry of a pause', () => {
  it('is the one nearest to its beginning, however often it was said again', () => {
    const entries = [entry(3_600), entry(20), entry(-1), entry(-25)];
    expect(pauseEntry(entries, TARGET, SINCE)?.id).toBe('-1');
  });

  it.each([
    ['too long before', entry(-31)],
    ['too long after', entry(31)],
    ['of an unknown outcome', entry(0, { status: undefined })],
    ['of one that failed', entry(0, { status: 503 })],
    ['of something else', entry(0, { target: 'schedules/a%2Fb%2Fc' })],
    ['of something else that was done', entry(0, { action: 'resume' })],
    ['of an earlier release', entry(0, { action: undefined, target: undefined })],
  ])('is none that is %s', (_, other) => {
    expect(pauseEntry([other], TARGET, SINCE)).toBeUndefined();
  });
});
