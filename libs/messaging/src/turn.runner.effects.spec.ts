import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ActorState } from './actor.state.js';
import { Batch } from './batch.js';
import type { Step } from './checkpoint.js';
import type { Delivery } from './engine.js';
import { type MessageClass } from './message.js';
import {
  CancelledError,
  IdempotencyConflictError,
  InvalidStateError,
  RejectError,
  StateTooLargeError,
  TurnEndedError,
} from './messaging.errors.js';
import { Stop } from './stop.js';
import { turnRunner } from './turn.runner.js';

import {
  Account,
  Note,
  type AccountTurn,
  clock,
  delivery,
  turnsOf,
  turn,
  failing,
  answered,
  state,
  stored,
  send,
  settle,
} from '../../../test/support/bank.turns.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

const newer = {
  state: new ActorState('bank', {
    schema: Account,
    version: 2,
    upcast: { 1: ({ amount }) => ({ balance: amount }) },
  }),
};

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

  it('of an older version is upcast, and stored as the new one', async () => {
    const given = delivery({ state: { revision: 3, version: 1, data: { amount: 10 } } });
    const outcome = await turn((_, turn) => void (turn.state.balance += 5), given, {}, newer);
    expect(outcome).toMatchObject({
      effects: { state: { revision: 3, version: 2, data: { balance: 15 } } },
    });
  });

  it.each(['handle', 'read'] as const)(
    'of a newer version is left for a newer worker: %s',
    async (kind) => {
      const given = delivery({ attempt: 5, state: { ...stored(10), version: 3 } });
      const begun: unknown[] = [];
      const outcome = await turn((message) => begun.push(message), given, { kind }, newer);
      expect(outcome).toEqual({ kind: 'release', delay: 5_000 });
      expect(begun).toEqual([]);
    },
  );

  it('that cannot be upcast fails the attempt, as the actor says', async () => {
    const given = (attempt: number) =>
      delivery({ attempt, state: { revision: 3, version: 1, data: { amount: 'much' } } });
    const failed = { attempt: { error: { name: 'InvalidStateError' } } };
    const run = () => undefined;
    expect(await turn(run, given(1), {}, newer)).toMatchObject({ kind: 'retry', ...failed });
    expect(await turn(run, given(5), {}, newer)).toMatchObject({ reason: 'exhausted', ...failed });
    const supervision = [[InvalidStateError, 'quarantine']] as const;
    const stopped = await turn(run, given(1), {}, { ...newer, supervision });
    expect(stopped).toMatchObject({ kind: 'quarantine', ...failed });
  });

  it('that is too large makes a dead letter at once, unless the actor says otherwise', async () => {
    const small = new ActorState('bank', { schema: Account, maxBytes: 20 });
    const grow = (_: unknown, turn: AccountTurn) => void (turn.state.balance = 1_234_567_890_123);
    const error = { code: 'state_too_large', message: expect.stringContaining("bank 'a-1'") };
    expect(await turn(grow, undefined, {}, { state: small })).toMatchObject({
      kind: 'dead',
      reason: 'rejected',
      attempt: { attempt: 1, error },
    });
    const supervision = [[StateTooLargeError, 'quarantine']] as const;
    expect(await turn(grow, undefined, {}, { state: small, supervision })).toMatchObject({
      kind: 'quarantine',
      attempt: { error },
    });
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

  it('has a reply for an event that declares one, and for no other', async () => {
    const answer = () => ({ balance: 5 });
    expect(await turn(answer, undefined, { ...answered, kind: 'on' })).toMatchObject({
      effects: { reply: { data: { balance: 5 } } },
    });
    expect(await turn(answer, undefined, { kind: 'on' })).toEqual({ kind: 'done' });
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

describe('a message of a newer version', () => {
  it('is left for a newer worker, without using an attempt', async () => {
    let called = false;
    const given = delivery({ attempt: 5 }, { version: 2 });
    const outcome = await turn(() => void (called = true), given);
    expect(outcome).toEqual({ kind: 'release', delay: 5_000 });
    expect(called).toBe(false);
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
    const stop = new Stop();
    const running = run(note('a', { stop }));
    await settle();
    stop.abort(new CancelledError('a'));
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(clock.pending).toBe(0);
  });
});
