import { ForbiddenException, Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ActorBreaker } from './actor.breaker.js';
import { ActorState } from './actor.state.js';
import { Batch } from './batch.js';
import type { Step } from './checkpoint.js';
import type { Delivery, Outcome, StoredState } from './engine.js';
import type { Envelope } from './envelope.js';
import { markDenial } from './guard.denial.js';
import { Message, type MessageClass } from './message.js';
import {
  CancelledError,
  IdempotencyConflictError,
  LockLostError,
  PauseError,
  QuarantineError,
  RejectError,
  RetryLaterError,
  StoreError,
  StoppingError,
  TurnEndedError,
  TurnTimeoutError,
} from './messaging.errors.js';
import { unobserved } from './observer.js';
import type { ActorRetryPolicy } from './retry.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';
import type { Turn } from './turn.js';
import { turnRunner, type Handler, type Turns } from './turn.runner.js';
import { currentScope } from './turn.scope.js';
import { testDelivery } from '../../../test/support/test.delivery.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

const Account = z.object({ balance: z.number().min(0).default(0) });
type AccountTurn = Turn<typeof Account>;

class Pay extends Message(
  'bank.pay',
  z.object({ account: z.string(), card: z.string().default('none') }),
  { key: 'account', secret: ['card'] },
) {}
/** The same, and it is answered. */
class Answered extends Message('bank.pay', z.object({ account: z.string() }), {
  key: 'account',
  reply: z.object({ balance: z.number() }),
}) {}
class Note extends Message('bank.note', z.object({ text: z.string() })) {}

let clock: VirtualClock;

beforeEach(() => void (clock = new VirtualClock()));

function delivery(fields: Partial<Delivery> = {}, envelope: Partial<Envelope> = {}): Delivery {
  const now = clock.now();
  const paid = { key: 'a-1', data: { account: 'a-1' }, sentAt: now, ...envelope };
  return testDelivery({ startedAt: now, ...fields }, paid);
}

type Run = (message: Pay, turn: AccountTurn) => unknown;

/** What the turns of an actor need whose only handler is this one. */
function turnsOf(run: Run, handler: Partial<Handler> = {}, more: Partial<Turns> = {}): Turns {
  const complete = {
    kind: 'handle',
    message: Pay as unknown as MessageClass,
    run: run as unknown as Handler['run'],
    ...handler,
  } satisfies Handler;
  return {
    handlers: new Map([[complete.message.meta.type as string, complete]]),
    retry: { jitter: 0 },
    supervision: [],
    clock,
    random: () => 0.5,
    observer: unobserved,
    ...more,
  };
}

function turn(
  run: Run,
  given: Delivery = delivery(),
  handler: Partial<Handler> = {},
  more: Partial<Turns> = {},
): Promise<Outcome> {
  return turnRunner(turnsOf(run, handler, more))(given);
}

const failing = (thrown: unknown, given?: Delivery, more?: Partial<Turns>): Promise<Outcome> =>
  turn(
    () => {
      throw thrown;
    },
    given,
    {},
    more,
  );

const answered = { message: Answered as unknown as MessageClass };
const state = new ActorState('bank', Account);
const stored = (balance: number): StoredState => ({ revision: 3, version: 1, data: { balance } });
const mail = (id: string) => ({ id, type: 'mail.send' }) as unknown as Envelope;
/** As Actors does it. */
const send = (id: string) => currentScope()!.join([mail(id)]);

async function settle(): Promise<void> {
  for (let n = 0; n < 10; n++) await loopTurn();
}

describe('the state of a turn', () => {
  it('of a new key is what the schema makes of nothing, and is stored', async () => {
    const outcome = await turn(
      (_, turn) => void (turn.state.balance += 5),
      undefined,
      {},
      { state },
    );
    expect(outcome).toMatchObject({
      kind: 'done',
      effects: { state: { revision: 0, version: 1, data: { balance: 5 } } },
    });
  });

  it('is committed on the revision that it was given', async () => {
    const given = delivery({ state: stored(10) });
    const outcome = await turn((_, turn) => void (turn.state.balance += 5), given, {}, { state });
    expect(outcome).toMatchObject({ effects: { state: { revision: 3, data: { balance: 15 } } } });
    expect(given.state?.data).toEqual({ balance: 10 });
  });

  it('may be another one in its place', async () => {
    const outcome = await turn(
      (_, turn) => void (turn.state = { balance: 1 }),
      delivery({ state: stored(10) }),
      {},
      { state },
    );
    expect(outcome).toMatchObject({ effects: { state: { data: { balance: 1 } } } });
  });

  it('is left alone when it did not change', async () => {
    const given = delivery({ state: stored(10) });
    expect(await turn(() => undefined, given, {}, { state })).toEqual({ kind: 'done' });
  });

  it('fails the turn when it is invalid, and nothing is left of it', async () => {
    const outcome = await turn(
      async (_, turn) => {
        await send('m-1');
        turn.state.balance = -1;
      },
      undefined,
      {},
      { state },
    );
    expect(outcome).toMatchObject({
      kind: 'retry',
      attempt: { error: { name: 'InvalidStateError', code: 'invalid_state' } },
    });
    expect(outcome).not.toHaveProperty('effects');
  });

  it('that is stored and does not fit keeps the handler from running', async () => {
    let called = false;
    const given = delivery({ state: { ...stored(0), data: { balance: 'much' } } });
    const outcome = await turn(() => void (called = true), given, {}, { state });
    expect(outcome).toMatchObject({ kind: 'retry', attempt: { error: { code: 'invalid_state' } } });
    expect(called).toBe(false);
  });

  it('of a reader is not written, and cannot be replaced', async () => {
    const given = delivery({ state: stored(10) });
    const outcome = await turn(
      (_, turn) => {
        turn.state.balance = 99;
        expect(() => (turn.state = { balance: 1 })).toThrow(TypeError);
      },
      given,
      { kind: 'read' },
      { state },
    );
    expect(outcome).toEqual({ kind: 'done' });
  });
});

describe('what a turn leaves', () => {
  it('is its sends in order and its reply', async () => {
    const outcome = await turn(
      async () => {
        await send('m-1');
        await send('m-2');
        return { balance: 5 };
      },
      undefined,
      answered,
    );
    expect(outcome).toMatchObject({
      kind: 'done',
      effects: { sends: [{ id: 'm-1' }, { id: 'm-2' }], reply: { data: { balance: 5 } } },
    });
  });

  it('is nothing when it fails', async () => {
    const outcome = await turn(async () => {
      await send('m-1');
      throw new Error('x');
    });
    expect(outcome.kind).toBe('retry');
    expect(outcome).not.toHaveProperty('effects');
    expect(outcome).not.toHaveProperty('sends');
  });

  it.each([{ balance: 'much' }, { balance: () => 1 }])('is no reply such as %o', async (reply) => {
    expect(await turn(() => reply, undefined, answered)).toMatchObject({
      kind: 'retry',
      attempt: { error: { name: 'InvalidReplyError', code: 'invalid_reply' } },
    });
  });

  it('has no reply for an event', async () => {
    expect(await turn(() => ({ balance: 5 }), undefined, { ...answered, kind: 'on' })).toEqual({
      kind: 'done',
    });
  });

  it('does not grow when the turn is over', async () => {
    let late: Promise<void> | undefined;
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const outcome = await turn(async () => {
      await send('m-1');
      late = gate.then(() => send('m-2'));
    });
    go();
    await expect(late).rejects.toThrow(TurnEndedError);
    expect(outcome).toMatchObject({ effects: { sends: [{ id: 'm-1' }] } });
  });

  it('that the store refuses makes it a failed turn, by the same rules', async () => {
    const run = async (): Promise<void> => send('m-1');
    const refused = async (given: Delivery, error: Error): Promise<unknown> => {
      const outcome = await turn(run, given);
      return outcome.kind === 'done' && outcome.refused?.(error);
    };
    const conflict = new IdempotencyConflictError('m-1');
    expect(await refused(delivery(), conflict)).toMatchObject({
      kind: 'retry',
      delay: 1_000,
      attempt: { error: { code: 'idempotency_conflict' } },
    });
    expect(await refused(delivery({ attempt: 5 }), conflict)).toMatchObject({
      kind: 'dead',
      reason: 'exhausted',
    });
    expect(await refused(delivery(), new RejectError('no'))).toMatchObject({ reason: 'rejected' });
  });
});

describe('a turn with a timeout', () => {
  const timeout = 1_000;

  it('is told by its signal, and fails if it stops for that', async () => {
    let reason: unknown;
    const running = turn(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('stopped'));
          });
        }),
      undefined,
      { timeout },
    );
    await clock.advance(999, settle);
    expect(reason).toBeUndefined();
    await clock.advance(1, settle);
    expect(reason).toBeInstanceOf(TurnTimeoutError);
    expect(await running).toMatchObject({
      kind: 'retry',
      attempt: { error: { code: 'turn_timeout' } },
    });
    expect(clock.pending).toBe(0);
  });

  it('is abandoned half a second later if it does not stop, and can send no more', async () => {
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let late: Promise<void> | undefined;
    let outcome: Outcome | undefined;
    void turn(
      async () => {
        await gate;
        late = send('m-1');
        await late;
      },
      undefined,
      { timeout },
    ).then((ended) => (outcome = ended));
    await clock.advance(1_499, settle);
    expect(outcome).toBeUndefined();
    await clock.advance(1, settle);
    expect(outcome).toMatchObject({ kind: 'retry', attempt: { error: { code: 'turn_timeout' } } });
    expect(clock.pending).toBe(0);
    go();
    await settle();
    await expect(late).rejects.toThrow(TurnEndedError);
  });

  it('leaves no timer and no listener when it ends in time', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners++;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners--;
      remove(...given);
    };
    expect(await turn(() => undefined, delivery({ signal }), { timeout })).toEqual({
      kind: 'done',
    });
    expect(clock.pending).toBe(0);
    expect(listeners).toBe(0);
  });

  it('hears of a stop, a cancelling and a lost lock by the same signal', async () => {
    for (const reason of [new StoppingError(), new CancelledError('bank-1'), new LockLostError()]) {
      const stop = new AbortController();
      let heard: unknown;
      const running = turn(
        (_, { signal }) =>
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              heard = signal.reason;
              reject(new Error('x'));
            });
          }),
        delivery({ signal: stop.signal }),
        { timeout },
      );
      stop.abort(reason);
      const kind = reason instanceof CancelledError ? 'cancelled' : 'release';
      expect(await running).toEqual({ kind });
      expect(heard).toBe(reason);
    }
  });
});

describe('a turn that is cancelled', () => {
  it('does not begin when that was before', async () => {
    let called = false;
    const outcome = await turn(() => void (called = true), delivery({ isCancelled: true }));
    expect(outcome).toEqual({ kind: 'cancelled' });
    expect(called).toBe(false);
  });

  it('ends as cancelled when it stops for that, and when it does not stop', async () => {
    for (const isDeaf of [false, true]) {
      const stop = new AbortController();
      const running = turn(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            if (!isDeaf) signal.addEventListener('abort', () => reject(new Error('stopped')));
          }),
        delivery({ signal: stop.signal, attempt: 5 }),
      );
      stop.abort(new CancelledError('bank-1'));
      await clock.advance(500, settle);
      expect(await running).toEqual({ kind: 'cancelled' });
    }
  });

  it('is done when it came to its end all the same', async () => {
    const stop = new AbortController();
    const running = turn(
      (_, { signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        }),
      delivery({ signal: stop.signal }),
    );
    stop.abort(new CancelledError('bank-1'));
    expect(await running).toEqual({ kind: 'done' });
  });
});

describe('a message of a newer version', () => {
  it('is left for a newer worker, without using an attempt', async () => {
    let called = false;
    const given = delivery({ attempt: 5 }, { version: 2 });
    const outcome = await turn(() => void (called = true), given);
    expect(outcome).toEqual({ kind: 'release', delay: 5_000 });
    expect(called).toBe(false);
  });
});

describe('supervision', () => {
  class LedgerCorrupt extends Error {}
  class BankDown extends Error {}
  class NoFunds extends Error {}
  const supervision = [
    [LedgerCorrupt, 'quarantine'],
    [BankDown, 'pause'],
    [NoFunds, 'reject'],
    [RejectError, 'retry'],
  ] as const;
  const pausing = { for: 1_000, max: 8_000 };

  it('rejects what the actor says', async () => {
    expect(await failing(new NoFunds('x'), undefined, { supervision })).toMatchObject({
      kind: 'dead',
      reason: 'rejected',
    });
  });

  it("lets the actor's own pairs go before the framework's", async () => {
    expect(await failing(new RejectError('x'), undefined, { supervision })).toMatchObject({
      kind: 'retry',
    });
  });

  it.each([new LedgerCorrupt('bad'), new QuarantineError('bad')])(
    'quarantines a key, whatever attempts are left: %o',
    async (error) => {
      for (const attempt of [1, 5]) {
        expect(await failing(error, delivery({ attempt }), { supervision })).toMatchObject({
          kind: 'quarantine',
          attempt: { attempt, error: { message: 'bad' } },
        });
      }
    },
  );

  it('cannot quarantine without a key: a dead letter', async () => {
    const given = delivery();
    delete given.envelope.key;
    expect(await failing(new QuarantineError('bad'), given)).toMatchObject({
      kind: 'dead',
      reason: 'quarantined',
    });
  });

  it.each([new BankDown('away'), new PauseError('away')])(
    'pauses the actor and hands the message back, its last attempt too: %o',
    async (error) => {
      const breaker = new ActorBreaker('bank', pausing, 10, clock);
      const given = delivery({ attempt: 5 });
      const outcome = await failing(error, given, { supervision, breaker });
      expect(outcome.kind).toBe('release');
      expect(breaker.isPaused).toBe(true);
      breaker.stop();
    },
  );

  it('goes on when the probe ends well, and when it fails for another reason', async () => {
    for (const after of [undefined, new Error('other')]) {
      const limits: number[] = [];
      const breaker = new ActorBreaker('bank', pausing, 10, clock);
      breaker.attach({ limit: (n) => void limits.push(n), stop: async () => undefined });
      await failing(new PauseError('away'), undefined, { breaker });
      await clock.advance(1_000);
      if (after) await failing(after, undefined, { breaker });
      else await turn(() => undefined, undefined, {}, { breaker });
      expect(limits).toEqual([0, 1, 10]);
    }
  });

  it('never tries again what a guard denied', async () => {
    const denial = new ForbiddenException('not yours');
    expect(await failing(denial)).toMatchObject({ kind: 'retry' });
    markDenial(denial);
    expect(await failing(denial)).toMatchObject({ kind: 'dead', reason: 'rejected' });
  });
});

describe("an actor's own back-off", () => {
  const own = (backoff: ActorRetryPolicy['backoff'], given = delivery(), thrown: unknown = 'x') =>
    failing(thrown, given, { retry: { jitter: 0, ...(backoff && { backoff }) } });

  it('is asked with the attempt and the error', async () => {
    const error = new Error('x');
    const asked: unknown[][] = [];
    const outcome = await own(
      (...given) => {
        asked.push(given);
        return '7s';
      },
      delivery({ attempt: 3 }),
      error,
    );
    expect(outcome).toMatchObject({ kind: 'retry', delay: 7_000 });
    expect(asked).toEqual([[3, error]]);
  });

  it('gives way to the delay that a sender gave, and to RetryLaterError', async () => {
    const sent = delivery({}, { retry: { delay: 50 } });
    expect(await own(() => '7s', sent)).toMatchObject({ delay: 50 });
    const later = new RetryLaterError('later', { after: 90 });
    expect(await own(() => '7s', delivery(), later)).toMatchObject({ delay: 90 });
  });

  it.each<[string, ActorRetryPolicy['backoff'], string]>([
    ['answers no duration', () => 'soon' as '1s', 'OptionError'],
    [
      'throws',
      () => {
        throw new TypeError('bug');
      },
      'TypeError',
    ],
  ])('that %s is recorded, and the policy decides', async (_, backoff, name) => {
    expect(await own(backoff)).toMatchObject({
      kind: 'retry',
      delay: 1_000,
      attempt: { error: { name } },
    });
  });
});

describe('a death', () => {
  const thrown = new RejectError('no');

  it('is mourned in the same step', async () => {
    const seen: unknown[] = [];
    const given = delivery();
    const outcome = await failing(thrown, given, {
      mourn: async (...told) => {
        seen.push(...told);
        return [mail('m-1')];
      },
    });
    expect(outcome).toMatchObject({ kind: 'dead', sends: [{ id: 'm-1' }] });
    expect(seen[0]).toBe(given);
    expect(seen[1]).toMatchObject({ kind: 'dead', reason: 'rejected' });
  });

  it('has no sends when nobody is to be told, and nothing else is mourned', async () => {
    let mourned = 0;
    const mourn = async (): Promise<Envelope[]> => {
      mourned++;
      return [];
    };
    expect(await failing(thrown, undefined, { mourn })).not.toHaveProperty('sends');
    await failing(new Error('x'), undefined, { mourn });
    await turn(() => undefined, undefined, {}, { mourn });
    expect(mourned).toBe(1);
  });

  it('waits when the store cannot say who is to be told', async () => {
    const mourn = (): Promise<Envelope[]> => Promise.reject(new StoreError('away'));
    expect(await failing(thrown, undefined, { mourn })).toEqual({ kind: 'release', delay: 5_000 });
  });
});

describe('checkpoints', () => {
  it('are passed in order, and awaited', async () => {
    const steps: Step[] = [];
    let free = (): void => undefined;
    const given = delivery();
    const running = turn(
      async () => {
        await send('m-1');
        return undefined;
      },
      given,
      {},
      {
        checkpoint: (step, of) => {
          expect(of).toBe(given);
          steps.push(step);
          return new Promise((resolve) => (free = resolve));
        },
      },
    );
    for (const expected of [['start'], ['start', 'send'], ['start', 'send', 'handled']]) {
      await settle();
      expect(steps).toEqual(expected);
      free();
    }
    expect(await running).toMatchObject({ kind: 'done' });
  });

  it('of a turn that fails has no end', async () => {
    const steps: Step[] = [];
    await failing(new Error('x'), undefined, {
      checkpoint: (step) => {
        steps.push(step);
        return undefined;
      },
    });
    expect(steps).toEqual(['start']);
  });
});

describe('secrets', () => {
  it('are masked in what is recorded of an attempt', async () => {
    const card = '4111111111111111';
    const outcome = await failing(
      new Error(`card ${card} is blocked`),
      delivery({}, { data: { account: 'a-1', card } }),
    );
    expect(outcome).toMatchObject({ attempt: { error: { message: 'card [secret] is blocked' } } });
    expect(JSON.stringify(outcome)).not.toContain(card);
  });
});

describe('a turn of a batch', () => {
  const message = Note as unknown as MessageClass;
  const note = (id: string, fields: Partial<Delivery> = {}) =>
    delivery(fields, { id, type: 'bank.note', data: { text: id } });

  it('ends by its own error, and joins what its own turn sends', async () => {
    const batch = new Batch(
      { max: 2, wait: 100 },
      async (messages, turns) => {
        for (const each of turns) await each.join(() => send(`from-${each.id}`));
        return messages.map((each) =>
          (each as Note).text === 'b' ? new RejectError('b') : undefined,
        );
      },
      clock,
    );
    const run = turnRunner(turnsOf(() => undefined, { message, batch }));
    const [a, b] = await Promise.all([run(note('a')), run(note('b'))]);
    expect(a).toMatchObject({ kind: 'done', effects: { sends: [{ id: 'from-a' }] } });
    expect(b).toMatchObject({ kind: 'dead', reason: 'rejected' });
  });

  it('that is cancelled while it waits ends at once', async () => {
    const batch = new Batch({ max: 2, wait: 60_000 }, () => undefined, clock);
    const run = turnRunner(turnsOf(() => undefined, { message, batch }));
    const stop = new AbortController();
    const running = run(note('a', { signal: stop.signal }));
    await settle();
    stop.abort(new CancelledError('a'));
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(clock.pending).toBe(0);
  });
});
