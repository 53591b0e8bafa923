import type { Job } from 'bullmq';
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../envelope.js';
import { Stop } from '../../stop.js';
import {
  redriven,
  toCancelled,
  toDelivery,
  toEnvelope,
  toFailure,
  toJob,
  toRecord,
  wasCancelled,
} from './bullmq.job.js';

const plain: Envelope = {
  id: 'mail-01h',
  type: 'mail.send',
  version: 1,
  actor: 'mail',
  data: { to: 'ada' },
  priority: 100,
  sentAt: 1_000,
  headers: {},
};

const full: Required<Envelope> = {
  ...plain,
  id: 'chosen by the sender',
  version: 3,
  types: { values: { when: ['Date'] } },
  topic: 'mail.eu.sent',
  key: 'ada',
  dueAt: 5_000,
  deadline: 9_000,
  headers: { 'x-request-id': 'r1' },
  correlationId: 'c1',
  causationId: 'd1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'vendor=1',
  tenant: 'acme',
  terms: ['t1'],
  replyTo: 'inbox-1',
  replace: true,
  occurrence: 4_000,
  notify: { type: 'watch.ended', key: 'w' },
  retry: { attempts: 3 },
  fingerprint: 'f1',
};

/** A job as BullMQ reads it back, of this message. */
function jobOf(envelope: Envelope, fields: Partial<Job> = {}): Job {
  const { id, name, data, opts, timestamp } = toJob(envelope);
  return {
    id,
    name,
    data: JSON.parse(data) as unknown,
    opts: JSON.parse(JSON.stringify(opts)) as unknown,
    timestamp,
    queueName: envelope.actor,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 1,
    stalledCounter: 0,
    returnvalue: null,
    ...fields,
  } as Job;
}

const attempt = { attempt: 1, startedAt: 1, finishedAt: 2, error: { name: 'E', message: 'no' } };
const stop = new Stop();

describe('a message as a job', () => {
  it.each([
    ['with all it can have', full],
    ['with the least', plain],
  ])('%s comes back as it went', (_, envelope) => {
    expect(toEnvelope(jobOf(envelope))).toEqual(envelope);
  });

  it('has its payload alone as data, and all metadata among the options', () => {
    const { data, opts } = toJob(full);
    expect(JSON.parse(data)).toEqual({ to: 'ada' });
    expect(Object.keys(opts).sort()).toEqual(['callsheet', 'delay', 'jobId', 'priority']);
    expect(opts.delay).toBe(4_000);
    expect(Object.keys(toJob(plain).opts.callsheet).sort()).toEqual(['id', 'version']);
  });

  it("that is a copy of an event is in its subscriber's queue, under the event's type", () => {
    const copy: Envelope = { ...plain, type: 'account.deposited', actor: 'audit' };
    expect(toJob(copy).name).toBe('account.deposited');
    expect(toEnvelope(jobOf(copy))).toEqual(copy);
    expect(toEnvelope(jobOf(copy, { queueName: 'audit.dead' })).actor).toBe('audit');
  });

  it('says at its delivery whether it was cancelled', () => {
    const job = jobOf(full);
    expect(toDelivery(job, stop, async () => undefined).isCancelled).toBe(false);
    Object.assign(job.opts, { callsheetCancelled: 1 });
    expect(toDelivery(job, stop, async () => undefined)).toMatchObject({
      isCancelled: true,
      envelope: full,
    });
  });
});

describe('the record of a job', () => {
  it.each([
    [{ data: { balance: 1 } }],
    [{ data: null }],
    [{ data: 0 }],
    [{ data: 'x', types: ['bigint'] }],
  ])('has %j as its reply', (returnvalue) => {
    expect(toRecord(jobOf(plain, { returnvalue }), 'completed').reply).toEqual(returnvalue);
  });

  it.each([null, undefined, 'text', 7, {}, [1], { other: 1 }])(
    'takes %j, which a plain worker returned, for no reply',
    (returnvalue) => {
      expect(toRecord(jobOf(plain, { returnvalue }), 'completed')).not.toHaveProperty('reply');
    },
  );

  it.each([
    ['waiting', 'waiting'],
    ['prioritized', 'waiting'],
    ['waiting-children', 'parked'],
    ['delayed', 'delayed'],
    ['active', 'active'],
    ['completed', 'done'],
  ])('calls %s %s', (state, called) => {
    expect(toRecord(jobOf(plain), state).state).toBe(called);
  });

  it('is cancelled, and keeps the failures before', () => {
    const progress = toCancelled({ progress: { attempts: [attempt], redrives: 2 } });
    const job = jobOf(plain, { progress, finishedOn: 9 } as Partial<Job>);
    expect(wasCancelled(job)).toBe(true);
    expect(toRecord(job, 'completed')).toMatchObject({
      state: 'cancelled',
      history: [attempt],
      redrives: 2,
      finishedAt: 9,
    });
    expect(wasCancelled(jobOf(plain, { progress: 50 }))).toBe(false);
  });

  it('of a dead letter is dead, whatever BullMQ calls it', () => {
    const job = jobOf(plain, { queueName: 'mail.dead' });
    expect(toRecord(job, 'failed').state).toBe('dead');
  });
});

describe('progress', () => {
  it('of a message that is not cancelled any more does not say so', () => {
    const { cancelled: _, ...before } = toCancelled({ progress: { attempts: [attempt] } });
    expect(redriven({ ...before, cancelled: 1, reason: 'rejected' })).toEqual({
      attempts: [attempt],
      redrives: 1,
    });
    const job = jobOf(plain, { progress: toCancelled({ progress: { attempts: [] } }) as object });
    const { progress } = toFailure(job, { kind: 'retry', delay: 1, attempt });
    expect(progress).toEqual({ attempts: [attempt] });
  });
});
