import type { MessageRecord } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { toMessageView } from './message.view.js';

const record: MessageRecord = {
  storageId: 'orders-1',
  envelope: {
    id: 'orders-1',
    type: 'orders.place',
    version: 1,
    actor: 'orders',
    data: {},
    priority: 100,
    sentAt: 0,
    headers: {},
    tenant: 'acme',
  },
  state: 'done',
  history: [],
  redrives: 0,
  sent: {
    count: 30,
    first: [
      { id: 'a', actor: 'email', tenant: 'acme' },
      { id: 'b', actor: 'email', tenant: 'globex' },
      { id: 'c', actor: 'push' },
    ],
  },
};

describe('what is to come of a message', () => {
  const dueAt = Date.UTC(2026, 0, 1);
  const failed = {
    ...{ attempt: 2, startedAt: dueAt, finishedAt: dueAt },
    error: { name: 'Error', message: 'no' },
  };
  const planned = { ...failed, retry: { at: dueAt + 60_000, left: 3 } };
  const envelope = { ...record.envelope, dueAt };

  it.each([
    ['its first attempt', 'delayed', [], { nextAttemptAt: '2026-01-01T00:00:00.000Z' }],
    [
      'the attempt after a failed one',
      'delayed',
      [failed, planned],
      { nextAttemptAt: '2026-01-01T00:01:00.000Z', attemptsLeft: 3 },
    ],
    ['an attempt in work', 'active', [planned], { attemptsLeft: 3 }],
    ['an attempt now', 'waiting', [planned], { attemptsLeft: 3 }],
    ['nothing that was noted', 'delayed', [failed], {}],
    ['unknown, as it was handed back', 'delayed', [], {}, dueAt + 1],
    ['unknown, as it was handed back', 'delayed', [planned], { attemptsLeft: 3 }, dueAt + 1],
    [
      'unknown, as a process handed it back whose clock is behind',
      'delayed',
      [{ ...planned, finishedAt: dueAt + 5_000 }],
      { attemptsLeft: 3 },
      dueAt + 1,
    ],
    ['nothing that is noted after a redrive', 'waiting', [planned, failed], {}],
    ['nothing, as it is done', 'done', [planned], {}],
    ['nothing, as it was cancelled', 'cancelled', [planned], {}],
  ] as const)('is %s', (_, state, history, expected, startedAt = history.at(-1)?.startedAt) => {
    const started = startedAt === undefined ? {} : { startedAt };
    const view = toMessageView(
      { ...record, envelope, state, history: [...history], ...started },
      {},
    );
    const { nextAttemptAt, attemptsLeft, attempts } = view;
    expect({ nextAttemptAt, attemptsLeft }).toEqual(expected);
    expect(attempts.filter((attempt) => 'retry' in attempt)).toEqual([]);
  });
});

describe('the effects of a message', () => {
  it('are all there for who may see all tenants, by id and actor', () => {
    expect(toMessageView(record, {}).effects).toEqual({
      total: 30,
      items: [
        { id: 'a', actor: 'email' },
        { id: 'b', actor: 'email' },
        { id: 'c', actor: 'push' },
      ],
    });
  });

  it('are counted alone where they are of nobody, or another tenant', () => {
    expect(toMessageView(record, {}, 'acme').effects).toEqual({
      total: 30,
      items: [{ id: 'a', actor: 'email' }],
    });
  });

  it('are not there when there are none', () => {
    const { sent: _, ...none } = record;
    expect(toMessageView(none, {}).effects).toBeUndefined();
  });
});
