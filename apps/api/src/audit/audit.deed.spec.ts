import { describe, expect, it } from 'vitest';
import { deedAskedFor, deedOf } from './audit.deed.js';
import type { AuditEntry } from './audit.entry.js';

const ENTRY = { at: '2026-01-01T00:00:00.000Z', who: 'api-key:ak_1', name: 'Ada', status: 200 };

function entry(call: string, path: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return { ...ENTRY, call, path, ...more };
}

describe('a deed', () => {
  it.each([
    ['POST /v1/schedules/:id/pause', '/v1/schedules/a%2Fb/pause', 'pause', 'schedules/a%2Fb'],
    ['DELETE /v1/schedules/:id', '/v1/schedules/weekly', 'delete', 'schedules/weekly'],
    ['PUT /v1/routes/:id', '/v1/routes/paid', 'change', 'routes/paid'],
    ['DELETE /v1/messages/:id', '/v1/messages/m:1', 'cancel', 'messages/m:1'],
    ['DELETE /v1/dead-letters/:id', '/v1/dead-letters/m1', 'discard', 'dead-letters/m1'],
    [
      'POST /v1/dead-letters/:id/redrive',
      '/v1/dead-letters/m/redrive',
      'redrive',
      'dead-letters/m',
    ],
    ['POST /v1/dead-letters::redrive', '/v1/dead-letters:redrive', 'redrive', 'dead-letters'],
    [
      'POST /v1/actors/:actor/keys/:key/release',
      '/v1/actors/webhook/keys/a/release',
      ...(['release', 'actors/webhook/keys/a'] as const),
    ],
    ['DELETE /v1/api-keys/:id', '/v1/api-keys/ak_2', 'revoke', 'api-keys/ak_2'],
    [
      'PUT /board/api/queues/:queueName/:jobId/retry',
      '/board/api/queues/email/7/retry',
      ...(['retry', 'board/queues/email/7'] as const),
    ],
    [
      'PUT /board/api/queues/:queueName/clean/:queueStatus',
      '/board/api/queues/email/clean/failed',
      ...(['clean', 'board/queues/email'] as const),
    ],
    [
      'PUT /board/api/queues/:queueName/pause',
      '/board/api/queues/email%3Aemail/pause',
      ...(['pause', 'board/queues/email'] as const),
    ],
    [
      'PUT /board/api/queues/:queueName/:jobId/retry',
      '/board/api/queues/email%3Aemail.dead/repeat:repeat/retry',
      ...(['retry', 'board/queues/email.dead/repeat:repeat'] as const),
    ],
    [
      'PUT /board/api/queues/:queueName/rate-limit/release',
      '/board/api/queues/email/rate-limit/release',
      ...(['release', 'board/queues/email'] as const),
    ],
    ['PUT /board/api/queues/pause', '/board/api/queues/pause', 'pause', 'board/queues'],
    ['DELETE /x', '/x', 'delete', 'x'],
  ])('of %s at %s', (call, path, action, target) => {
    expect(deedOf(entry(call, path))).toEqual({ action, target });
  });

  it('names what was made', () => {
    const made = { status: 201, after: { id: 'a/b' } };
    expect(deedOf(entry('POST /v1/schedules', '/v1/schedules', made))).toEqual({
      ...{ action: 'create', target: 'schedules/a%2Fb' },
    });
    expect(deedOf(entry('PUT /v1/routes/:id', '/v1/routes/paid', made))).toEqual({
      ...{ action: 'create', target: 'routes/paid' },
    });
    // Too large to be kept, or not known.
    expect(deedOf(entry('POST /v1/schedules', '/v1/schedules', { status: 201 }))).toEqual({
      ...{ action: 'create', target: 'schedules' },
    });
    const ran = entry('POST /v1/sync/:pipeline/run', '/v1/sync/signups/run', {
      after: { id: 'other' },
    });
    expect(deedOf(ran)).toEqual({ action: 'run', target: 'sync/signups' });
  });
});

describe('an entry that is asked for', () => {
  const paused = entry('POST /v1/schedules/:id/pause', '/v1/schedules/a%2Fb/pause');

  it.each([
    {},
    { action: 'pause' },
    { who: 'ada' },
    { who: 'AK_1' },
    { target: 'schedules' },
    { target: 'a/b' },
    { target: 'a%2Fb' },
    { target: '/v1/schedules/a%2Fb/' },
    { action: 'pause', who: 'Ada', target: 'schedules/a/b' },
  ])('is %o', (filter) => {
    expect(deedAskedFor(paused, filter)).toEqual(deedOf(paused));
  });

  it.each([
    { action: 'paus' },
    { action: 'resume' },
    { who: 'eve' },
    { target: 'schedule' },
    { target: 'b/a' },
    { target: 'pause' },
    { action: 'pause', who: 'eve' },
  ])('is not %o', (filter) => {
    expect(deedAskedFor(paused, filter)).toBeUndefined();
  });

  it('may have a path that was cut within a character', () => {
    const cut = entry('DELETE /v1/messages/:id', '/v1/messages/ab%F');
    expect(deedAskedFor(cut, { target: 'ab%F' })).toEqual(deedOf(cut));
  });
});
