import { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.js';
import type { Outcome } from './engine.js';
import {
  CancelledError,
  LockLostError,
  RejectError,
  StoppingError,
  TurnEndedError,
  TurnTimeoutError,
} from './messaging.errors.js';
import { Stop } from './stop.js';
import { clock, delivery, failing, turn, send, settle } from '../../../test/support/bank.turns.js';
import { told } from '../../../test/support/test.delivery.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

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
    const stop = new Stop();
    const listen = vi.spyOn(stop, 'listen');
    expect(await turn(() => undefined, delivery({ stop }), { timeout })).toEqual({
      kind: 'done',
    });
    expect(clock.pending).toBe(0);
    expect(listen.mock.calls).toEqual([[expect.any(Function)], []]);
  });

  it('hears of a stop, a cancelling and a lost lock by the same signal', async () => {
    for (const reason of [new StoppingError(), new CancelledError('bank-1'), new LockLostError()]) {
      const stop = new Stop();
      let heard: unknown;
      const running = turn(
        (_, { signal }) =>
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              heard = signal.reason;
              reject(new Error('x'));
            });
          }),
        delivery({ stop }),
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
      const stop = new Stop();
      const running = turn(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            if (!isDeaf) signal.addEventListener('abort', () => reject(new Error('stopped')));
          }),
        delivery({ stop, attempt: 5 }),
      );
      stop.abort(new CancelledError('bank-1'));
      await clock.advance(500, settle);
      expect(await running).toEqual({ kind: 'cancelled' });
    }
  });

  it('is done when it came to its end all the same', async () => {
    const stop = new Stop();
    const running = turn(
      (_, { signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        }),
      delivery({ stop }),
    );
    stop.abort(new CancelledError('bank-1'));
    expect(await running).toEqual({ kind: 'done' });
  });
});

describe('a turn whose signal aborts', () => {
  const REAL = { clock: systemClock };

  it('does not begin when it is aborted already', async () => {
    let called = false;
    const outcome = await turn(() => (called = true), delivery({ stop: told() }), {}, REAL);
    expect(outcome).toEqual({ kind: 'release' });
    expect(called).toBe(false);
  });

  it('hands back when its handler throws because of it, whatever it throws', async () => {
    for (const thrown of [undefined, new Error('stopped'), new RejectError('stopped')]) {
      const stop = new Stop();
      const running = turn(
        async (_, { signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          signal.throwIfAborted();
          throw thrown;
        },
        delivery({ stop }),
        {},
        REAL,
      );
      stop.abort(new StoppingError());
      expect(await running).toEqual({ kind: 'release' });
    }
  });

  it('is done when its handler brings the work to its end within its patience', async () => {
    const stop = new Stop();
    const running = turn(
      async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await delay(20);
      },
      delivery({ stop }),
      {},
      REAL,
    );
    stop.abort(new StoppingError());
    expect(await running).toEqual({ kind: 'done' });
  });

  it('hands back, in bounded time, when its handler ignores it', async () => {
    const stop = new Stop();
    const running = turn(() => new Promise(() => undefined), delivery({ stop }), {}, REAL);
    stop.abort(new StoppingError());
    const start = performance.now();
    expect(await running).toEqual({ kind: 'release' });
    expect(performance.now() - start).toBeGreaterThan(400);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('waits for its handler to the end when the lock is lost: it must not be started twice', async () => {
    for (const fails of [false, true]) {
      const lost = new Stop();
      let finish = (): void => undefined;
      const running = turn(
        () =>
          new Promise<void>(
            (resolve, reject) => (finish = fails ? () => reject(new Error('x')) : resolve),
          ),
        delivery({ stop: lost }),
        {},
        REAL,
      );
      lost.abort(new LockLostError());
      expect(await Promise.race([running, delay(700, 'still running')])).toBe('still running');
      finish();
      expect(await running).toEqual({ kind: fails ? 'release' : 'done' });
    }
  });

  it('and what its abandoned handler throws later hurts nobody', async () => {
    const stop = new Stop();
    let fail = (_: Error): void => undefined;
    const running = turn(
      () => new Promise((_, reject) => (fail = reject)),
      delivery({ stop }),
      {},
      REAL,
    );
    stop.abort(new StoppingError());
    expect(await running).toEqual({ kind: 'release' });
    fail(new Error('much later'));
    // Vitest fails the run on an unhandled rejection.
    await delay(10);
  });

  it('is judged by its own end when it ended before', async () => {
    const stop = new Stop();
    const outcome = await failing(new Error('x'), delivery({ stop }));
    stop.abort(new StoppingError());
    expect(outcome).toMatchObject({ kind: 'retry' });
  });
});
