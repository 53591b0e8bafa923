import { ConsoleLogger, Logger, type ConsoleLoggerOptions } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AttemptRecord, Delivery, Outcome } from '../engine.js';
import { report } from './turn.log.js';
import { testDelivery } from '../../../../test/support/test.delivery.js';

afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(false);
});

/** What Nest's own logger prints from now on. */
function printed(options: ConsoleLoggerOptions): () => string {
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
  }
  Logger.overrideLogger(new ConsoleLogger({ colors: false, ...options }));
  return () => lines.join('');
}

let made = 0;

/** A message of a type of its own, so that tests do not meet in what is held back. */
function delivery(more: Partial<Delivery['envelope']> = {}): Delivery {
  return testDelivery({ attempt: 2 }, { type: `bank.pay${++made}`, ...more });
}

function attempt(message = 'no\n  money'): AttemptRecord {
  return { attempt: 2, startedAt: 2_000, finishedAt: 3_000, error: { name: 'TypeError', message } };
}

describe('for people', () => {
  it.each<[Outcome, RegExp]>([
    [
      { kind: 'retry', delay: 1_000, attempt: attempt() },
      / WARN \[Callsheet\] bank\.pay\d+ bank-1: attempt 2 of 5 failed, again in 1000 ms: no money *\n$/,
    ],
    [
      { kind: 'dead', reason: 'exhausted', attempt: attempt() },
      / ERROR \[Callsheet\] bank\.pay\d+ bank-1: dead letter \(exhausted\): no money *\n$/,
    ],
    [
      { kind: 'quarantine', attempt: attempt() },
      / ERROR .*: its key 'a-1' is quarantined, .*: no money *\n$/,
    ],
    [{ kind: 'release' }, / WARN .*: handed back unfinished *\n$/],
    [{ kind: 'cancelled' }, / LOG .*: cancelled *\n$/],
    [{ kind: 'done' }, /^$/],
  ])('is one line: %o', (outcome, line) => {
    const log = printed({});
    report(delivery({ key: 'a-1' }), outcome, 5);
    expect(log()).toMatch(line);
  });
});

describe('as JSON', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it('has what is known of the message as fields', () => {
    const log = printed({ json: true });
    const given = delivery({ key: 'a-1', tenant: 't1', correlationId: 'shop-1', traceparent });
    report(given, { kind: 'dead', reason: 'rejected', attempt: attempt() }, 5);
    expect(JSON.parse(log())).toMatchObject({
      level: 'error',
      context: 'Callsheet',
      message: `${given.envelope.type} bank-1: dead letter (rejected): no money`,
      params: {
        type: given.envelope.type,
        id: 'bank-1',
        actor: 'bank',
        key: 'a-1',
        attempt: 2,
        attempts: 5,
        outcome: 'dead',
        reason: 'rejected',
        error: 'TypeError',
        tenant: 't1',
        correlationId: 'shop-1',
        traceId: 'a'.repeat(32),
      },
    });
  });

  it('has no fields without a value', () => {
    const log = printed({ json: true, flattenParams: true });
    const given = delivery();
    report(given, { kind: 'retry', delay: 5, attempt: attempt() }, 5);
    const { level: _, pid: __, timestamp: ___, message: ____, ...fields } = JSON.parse(log());
    expect(fields).toEqual({
      context: 'Callsheet',
      type: given.envelope.type,
      id: 'bank-1',
      actor: 'bank',
      attempt: 2,
      attempts: 5,
      outcome: 'retry',
      delay: 5,
      error: 'TypeError',
      correlationId: 'bank-1',
    });
  });

  it('has them in colours too', () => {
    const log = printed({ json: true, colors: true });
    report(delivery({ tenant: 'tenant-1' }), { kind: 'cancelled' }, 5);
    expect(log()).toContain('tenant-1');
    expect(log()).not.toContain('undefined');
  });
});

describe('the same trouble again and again', () => {
  it('is told five times, then counted', () => {
    const log = printed({});
    const given = delivery();
    const failed = (id: string, finishedAt: number) =>
      report(
        { ...given, envelope: { ...given.envelope, id } },
        { kind: 'retry', delay: 5, attempt: { ...attempt(`no answer to ${id}`), finishedAt } },
        5,
      );
    for (let i = 0; i < 9; i++) failed(`bank-${i}`, 3_000);
    expect(log().split('\n')).toHaveLength(6);
    failed('bank-9', 13_000);
    expect(log()).toContain('no answer to bank-9 (and 4 more like it since)');
  });

  it('is always told when messages die of it', () => {
    const log = printed({});
    const given = delivery();
    for (let i = 0; i < 9; i++) {
      report(given, { kind: 'dead', reason: 'exhausted', attempt: attempt() }, 5);
    }
    expect(log().split('\n')).toHaveLength(10);
  });
});
