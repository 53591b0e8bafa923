import { ForbiddenException, Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ActorBreaker } from './actor.breaker.js';
import type { Duration } from './duration.js';
import type { Envelope } from './envelope.js';
import { markDenial } from './guard.denial.js';
import {
  PauseError,
  PostponeError,
  QuarantineError,
  RejectError,
  RetryLaterError,
  StoreError,
} from './messaging.errors.js';
import type { ActorRetryPolicy } from './retry.js';
import { clock, delivery, turn, failing, mail } from '../../../test/support/bank.turns.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

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

  it('takes another probe when the one that it took was postponed', async () => {
    const limits: number[] = [];
    const breaker = new ActorBreaker('bank', pausing, 10, clock);
    breaker.attach({ limit: (n) => void limits.push(n), stop: async () => undefined });
    await failing(new PauseError('away'), undefined, { breaker });
    await clock.advance(1_000);
    await failing(new PostponeError('not yet', { after: '2s' }), undefined, { breaker });
    expect(limits).toEqual([0, 1]);
    breaker.stop();
  });

  it('hands back what is postponed, its last attempt too, whatever the actor says of errors', async () => {
    const given = delivery({ attempt: 5 });
    const outcome = (after: Duration) =>
      failing(new PostponeError('not yet', { after }), given, {
        supervision: [[Error, 'reject']],
      });
    expect(await outcome('2s')).toEqual({ kind: 'release', delay: 2_000 });
    expect(await outcome(0)).toEqual({ kind: 'release', delay: 1 });
  });

  it('takes what is postponed to no time that there is for a failure', async () => {
    const thrown = new PostponeError('not yet', { after: 'soon' as Duration });
    const error = { error: { code: 'invalid_option' } };
    expect(await failing(thrown)).toMatchObject({ kind: 'retry', attempt: error });
    const last = delivery({ attempt: 5 });
    expect(await failing(thrown, last)).toMatchObject({ kind: 'dead', attempt: error });
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
