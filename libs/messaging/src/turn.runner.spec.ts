import { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Delivery, Outcome } from './engine.js';
import type { Envelope } from './envelope.js';
import { Message, type MessageClass } from './message.js';
import { InvalidMessageError, RejectError, RetryLaterError } from './messaging.errors.js';
import { systemClock } from './clock.js';
import { unobserved } from './observer.js';
import type { ActorRetryPolicy } from './retry.js';
import { CRASH_BUDGET } from './suspects.js';
import { turnRunner, type Handler, type Turns } from './turn.runner.js';
import type { Turn } from './turn.js';
import { errorOf, testDelivery, told } from '../../../test/support/test.delivery.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

class Pay extends Message(
  'bank.pay',
  z.object({
    amount: z.int().positive(),
    on: z.coerce.date<string>(),
    note: z.string().default('-'),
  }),
) {}

const DATA = { amount: 5, on: '2026-03-01T00:00:00.000Z' };
/** No jitter, so that waits are exact. */
const EXACT = { jitter: 0 };

function delivery(fields: Partial<Delivery> = {}, envelope: Partial<Envelope> = {}): Delivery {
  return testDelivery(fields, { data: DATA, headers: { tenant: 't1' }, ...envelope });
}

/** What the turns of an actor with these handlers need. */
function turnsOf(handlers: Record<string, Handler>, more: Partial<Turns> = {}): Turns {
  return {
    handlers: new Map(Object.entries(handlers)),
    retry: EXACT,
    supervision: [],
    clock: systemClock,
    random: () => 0.5,
    observer: unobserved,
    ...more,
  };
}

/** Runs one delivery with `run` as the only handler. */
function turn(
  run: (message: Pay, turn: Turn) => unknown,
  given: Delivery = delivery(),
  retry: ActorRetryPolicy = EXACT,
  more: Partial<Turns> = {},
): Promise<Outcome> {
  const handler = { kind: 'handle', message: Pay as unknown as MessageClass, run } as Handler;
  return turnRunner(turnsOf({ 'bank.pay': handler }, { retry, ...more }))(given);
}

function failing(
  thrown: unknown,
  given?: Delivery,
  retry?: ActorRetryPolicy,
  more?: Partial<Turns>,
): Promise<Outcome> {
  return turn(
    () => {
      throw thrown;
    },
    given,
    retry,
    more,
  );
}

describe('a turn that ends well', () => {
  it.each<[string, () => unknown]>([
    ['returns', () => undefined],
    ['returns a value', () => 42],
    ['resolves', async () => undefined],
    ['resolves later', () => delay(5)],
    ['resolves to what cannot be stored', async () => 1n],
  ])('is done when its handler %s', async (_, run) => {
    expect(await turn(run)).toEqual({ kind: 'done' });
  });

  it('gets the message anew from its schema: coerced, with defaults, frozen', async () => {
    let seen: Pay | undefined;
    await turn((message) => (seen = message));
    expect(seen).toBeInstanceOf(Pay);
    expect(Object.assign({}, seen)).toEqual({ amount: 5, on: new Date(DATA.on), note: '-' });
    expect(Object.isFrozen(seen)).toBe(true);
  });

  it('is told what it is', async () => {
    let seen: Turn | undefined;
    const given = delivery({ attempt: 3, occurrence: 5_000 });
    await turn((_, turn) => (seen = turn), given, { attempts: 7 });
    expect({ ...seen, signal: seen?.signal }).toEqual({
      id: 'bank-1',
      type: 'bank.pay',
      topic: 'bank.pay',
      key: undefined,
      attempt: 3,
      attempts: 7,
      priority: 100,
      sentAt: new Date(1_000),
      now: new Date(2_000),
      deadline: undefined,
      occurrence: new Date(5_000),
      headers: { tenant: 't1' },
      tenant: undefined,
      correlationId: 'bank-1',
      causationId: undefined,
      traceparent: undefined,
      signal: expect.any(AbortSignal),
      state: undefined,
      sql: expect.any(Function),
      journal: expect.any(Function),
      forget: expect.any(Function),
      join: expect.any(Function),
    });
    const sent = { deadline: 9_000, correlationId: 'a', causationId: 'b', tenant: 't2' };
    await turn((_, turn) => (seen = turn), delivery({}, sent));
    expect(seen).toMatchObject({ ...sent, deadline: new Date(9_000), occurrence: undefined });
  });

  it('gets the bare data when it handles occurrences of a schedule', async () => {
    let seen: unknown;
    const handler: Handler = {
      kind: 'occurrence',
      message: undefined,
      run: (message) => (seen = message),
    };
    const run = turnRunner(turnsOf({ 'bank.tick': handler }));
    expect(await run(delivery({}, { type: 'bank.tick', data: {} }))).toEqual({ kind: 'done' });
    expect(seen).toEqual({});
    expect(Object.isFrozen(seen)).toBe(true);
  });
});

describe('a turn that fails', () => {
  it('is retried after the wait of the policy, with the attempt recorded', async () => {
    const before = Date.now();
    const outcome = await failing(Object.assign(new TypeError('no'), { code: 'E_NO' }));
    expect(outcome).toMatchObject({
      kind: 'retry',
      delay: 1_000,
      attempt: {
        attempt: 1,
        startedAt: 2_000,
        error: { name: 'TypeError', message: 'no', code: 'E_NO' },
      },
    });
    expect(errorOf(outcome).stack).toMatch(/^TypeError: no\n\s+at /);
    const { finishedAt } = (outcome as { attempt: { finishedAt: number } }).attempt;
    expect(finishedAt).toBeGreaterThanOrEqual(before);
  });

  it.each([
    [1, 1_000],
    [2, 2_000],
    [4, 8_000],
  ])('waits longer after failure %d: %d ms', async (attempt, wait) => {
    expect(await failing(new Error('x'), delivery({ attempt }))).toMatchObject({ delay: wait });
  });

  it('tells with the attempt when the next one is to be, and how many are left', async () => {
    const startedAt = Date.now() + 60_000;
    const failed = async (attempt: number): Promise<Outcome> =>
      failing(new Error('x'), delivery({ attempt, startedAt }));
    expect(await failed(1)).toMatchObject({
      attempt: { retry: { at: startedAt + 1_000, left: 4 } },
    });
    expect(await failed(4)).toMatchObject({
      attempt: { retry: { at: startedAt + 8_000, left: 1 } },
    });
    expect(await failed(5)).not.toHaveProperty('attempt.retry');
  });

  it('never ends before it started, whatever the clocks say', async () => {
    const ahead = Date.now() + 60_000;
    expect(await failing(new Error('x'), delivery({ startedAt: ahead }))).toMatchObject({
      attempt: { startedAt: ahead, finishedAt: ahead },
    });
  });

  it.each([5, 6])('is a dead letter at attempt %d of 5', async (attempt) => {
    expect(await failing(new Error('x'), delivery({ attempt }))).toMatchObject({
      kind: 'dead',
      reason: 'exhausted',
      attempt: { attempt, error: { message: 'x' } },
    });
    expect(await failing(new Error('x'), delivery({ attempt: 4 }))).toMatchObject({
      kind: 'retry',
    });
  });

  it("takes the sender's retry over the actor's, and the actor's over the defaults", async () => {
    const actor = { attempts: 3, delay: 50, jitter: 0 };
    const own = delivery({ attempt: 2 });
    expect(await failing(new Error('x'), own, actor)).toMatchObject({ kind: 'retry', delay: 100 });
    const asked = delivery({ attempt: 2 }, { retry: { attempts: 2 } });
    expect(await failing(new Error('x'), asked, actor)).toMatchObject({ reason: 'exhausted' });
    const slower = delivery({ attempt: 2 }, { retry: { delay: 400, factor: 10, max: 3_000 } });
    expect(await failing(new Error('x'), slower, actor)).toMatchObject({ delay: 3_000 });
    let attempts: number | undefined;
    await turn((_, turn) => (attempts = turn.attempts), asked, actor);
    expect(attempts).toBe(2);
  });

  it('is rejected at once by RejectError, and classes made from it', async () => {
    class NoSuchAccount extends RejectError {
      override readonly code = 'no_such_account';
    }
    for (const thrown of [new RejectError('never'), new NoSuchAccount('never')]) {
      const outcome = await failing(thrown);
      expect(outcome).toMatchObject({ kind: 'dead', reason: 'rejected' });
      expect(errorOf(outcome)).toMatchObject({ message: 'never', code: thrown.code });
    }
  });

  it('asks its own back-off only when it is tried again, and survives one that fails', async () => {
    const asked: unknown[] = [];
    const backoff = (attempt: number, error: unknown): never => {
      asked.push([attempt, error]);
      throw new Error('no wait in that error');
    };
    const policy = { ...EXACT, backoff };
    expect(await failing(new RejectError('x'), undefined, policy)).toMatchObject({ kind: 'dead' });
    const stopped = delivery({ stop: told() });
    expect(await failing(new Error('x'), stopped, policy)).toEqual({ kind: 'release' });
    expect(await turn(() => undefined, delivery({ isCancelled: true }), policy)).toEqual({
      kind: 'cancelled',
    });
    const newer = delivery({}, { version: 2 });
    expect(await failing(new Error('x'), newer, policy)).toEqual({ kind: 'release', delay: 5_000 });
    expect(asked).toEqual([]);
    const outcome = await failing(new Error('x'), undefined, policy);
    expect(outcome).toMatchObject({ kind: 'retry', delay: 1_000 });
    expect(errorOf(outcome).message).toBe('no wait in that error');
    expect(asked).toHaveLength(1);
  });

  it('is tried again, whatever is wrong with what judges it', async () => {
    const broken = [
      [
        {
          [Symbol.hasInstance]: () => {
            throw new Error('judge');
          },
        },
        'reject',
      ],
    ];
    const outcome = await failing(new Error('x'), undefined, EXACT, {
      supervision: broken as never,
    });
    expect(outcome).toMatchObject({ kind: 'retry', delay: 1_000 });
    expect(errorOf(outcome).message).toBe('judge');
  });

  describe('with RetryLaterError', () => {
    it.each([
      ['2m', 120_000],
      [75, 75],
      [0, 0],
    ] as const)('waits as long as it says: %s', async (after, wait) => {
      expect(await failing(new RetryLaterError('later', { after }))).toMatchObject({
        kind: 'retry',
        delay: wait,
        attempt: { error: { name: 'RetryLaterError', message: 'later', code: 'retry_later' } },
      });
    });

    it('is still exhausted at the last attempt', async () => {
      const thrown = new RetryLaterError('later', { after: '1s' });
      expect(await failing(thrown, delivery({ attempt: 5 }))).toMatchObject({
        kind: 'dead',
        reason: 'exhausted',
      });
    });

    it.each(['soon', -1, NaN, '400d', undefined, {}])(
      'and a wait of %o fails by the policy, saying what is wrong',
      async (after) => {
        const outcome = await failing(new RetryLaterError('later', { after: after as '1s' }));
        expect(outcome).toMatchObject({ kind: 'retry', delay: 1_000 });
        expect(errorOf(outcome)).toMatchObject({ name: 'OptionError', code: 'invalid_option' });
        expect(errorOf(outcome).message).toMatch(/^RetryLaterError after must be /);
      },
    );
  });

  it('fails when its handler rejects later too', async () => {
    const outcome = await turn(async () => {
      await delay(5);
      throw new Error('late');
    });
    expect(outcome).toMatchObject({ kind: 'retry', attempt: { error: { message: 'late' } } });
  });
});

describe('a turn that does not come to its handler', () => {
  let calls = 0;
  const counted = () => (calls += 1);

  it('is invalid when the data does not satisfy the schema', async () => {
    calls = 0;
    const outcome = await turn(counted, delivery({}, { data: { amount: -1, on: DATA.on } }));
    expect(outcome).toMatchObject({ kind: 'dead', reason: 'invalid', attempt: { attempt: 1 } });
    expect(errorOf(outcome)).toMatchObject({
      name: 'InvalidMessageError',
      code: 'invalid_message',
    });
    expect(errorOf(outcome).message).toMatch(/^bank\.pay: amount: /);
    expect(errorOf(outcome).stack).toBeUndefined();
    expect(calls).toBe(0);
  });

  it('but an InvalidMessageError of the handler itself is an ordinary failure', async () => {
    expect(await failing(new InvalidMessageError('other.do', []))).toMatchObject({ kind: 'retry' });
  });

  it('is unhandled when there is no handler for the type', async () => {
    for (const type of ['bank.refund', '__proto__', 'constructor']) {
      const outcome = await turn(counted, delivery({}, { type: type as Envelope['type'] }));
      expect(outcome).toMatchObject({ kind: 'dead', reason: 'unhandled' });
      expect(errorOf(outcome).message).toBe(`actor 'bank' has no handler for '${type}'`);
    }
    expect(calls).toBe(0);
  });

  it('that is the copy of an event goes back for ten minutes, to a worker of another release', async () => {
    const copy = { id: 'e-1@bank', type: 'shop.sold' as const, sentAt: Date.now() - 500_000 };
    expect(await turn(counted, delivery({}, copy))).toEqual({ kind: 'release', delay: 5_000 });
    const old = delivery({}, { ...copy, sentAt: Date.now() - 700_000 });
    expect(await turn(counted, old)).toMatchObject({ kind: 'dead', reason: 'unhandled' });
  });

  it('is expired when it starts after its deadline, not at it', async () => {
    calls = 0;
    expect(await turn(counted, delivery({}, { deadline: 2_000 }))).toEqual({ kind: 'done' });
    expect(calls).toBe(1);
    const late = await turn(counted, delivery({}, { deadline: 1_999 }));
    expect(late).toMatchObject({ kind: 'dead', reason: 'expired' });
    expect(errorOf(late).message).toBe('not started before 1970-01-01T00:00:01.999Z');
    expect(calls).toBe(1);
  });

  it('is not expired when it was started before: it may be finished', async () => {
    calls = 0;
    const late = delivery({ isFirst: false }, { deadline: 1_999 });
    expect(await turn(counted, late)).toEqual({ kind: 'done' });
    expect(calls).toBe(1);
  });

  it('is crashed when the process died more often than the budget allows', async () => {
    calls = 0;
    expect(await turn(counted, delivery({ crashes: CRASH_BUDGET }))).toEqual({ kind: 'done' });
    const over = await turn(counted, delivery({ crashes: CRASH_BUDGET + 1 }));
    expect(over).toMatchObject({ kind: 'dead', reason: 'crashed' });
    expect(errorOf(over).message).toBe(
      'its process died or froze 6 times while working on this message',
    );
    expect(calls).toBe(1);
  });

  it('fails, and is retried, when its schema throws', async () => {
    const broken = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => {
          throw new Error('schema is broken');
        },
      },
    };
    class Broken extends Message('bank.broken', broken) {}
    const handler: Handler = {
      kind: 'handle',
      message: Broken as unknown as MessageClass,
      run: counted,
    };
    const run = turnRunner(turnsOf({ 'bank.broken': handler }));
    const outcome = await run(delivery({}, { type: 'bank.broken' }));
    expect(outcome).toMatchObject({ kind: 'retry' });
    expect(errorOf(outcome).message).toBe('schema is broken');
  });
});
