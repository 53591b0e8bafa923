import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actors, MAX_BATCH, type Telling } from './actors.js';
import { systemClock } from './clock.js';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import type { Envelope } from './envelope.js';
import { Message } from './message.js';
import { MessageRegistry } from './message.registry.js';
import { IdempotencyConflictError, OptionError } from './messaging.errors.js';
import { resolveOptions } from './messaging.options.js';
import { ReplyInbox } from './reply.inbox.js';
import type { TellOptions } from './sealing.js';
import { Router } from './routing/router.js';

const YEAR = 365 * 86_400_000;

class Send extends Message('email.send', z.object({ to: z.string(), n: z.int().default(7) })) {}
class Chat extends Message(
  'chat.say',
  z.object({ message: z.string(), options: z.object({ loud: z.boolean() }) }),
  { version: 2, upcast: { 1: (old) => old } },
) {}

/** The memory engine, keeping what it was asked to store. */
class Recording extends MemoryEngine {
  readonly sent: Envelope[][] = [];

  override async send(envelopes: readonly Envelope[]): Promise<void> {
    await super.send(envelopes);
    this.sent.push([...envelopes]);
  }
}

const mail = () => new Send({ to: 'ada' });

let engine: Recording;
let actors: Actors;

beforeEach(() => {
  const options = resolveOptions({ url: 'memory:' });
  engine = new Recording(options);
  actors = new Actors(
    engine,
    systemClock,
    new MessageRegistry(options),
    new ReplyInbox(engine, systemClock),
    new Router(engine, systemClock),
  );
});

/** Sends and returns the envelope that reached the store. */
async function sealed(options?: TellOptions): Promise<Envelope> {
  await actors.tell(mail(), options);
  return engine.sent.at(-1)?.[0] as Envelope;
}

describe('tell', () => {
  it('stores the message as given, with defaults of the options', async () => {
    const before = Date.now();
    const envelope = await sealed();
    expect(envelope).toMatchObject({
      type: 'email.send',
      version: 1,
      actor: 'email',
      data: { to: 'ada' },
      priority: 100,
      headers: {},
    });
    expect(envelope.data).not.toHaveProperty('n');
    expect(envelope.id).toMatch(/^email-[0-9a-z]{26}$/);
    expect(envelope.sentAt).toBeGreaterThanOrEqual(before);
    expect(envelope.sentAt).toBeLessThanOrEqual(Date.now());
    expect(envelope.dueAt).toBeUndefined();
    expect(envelope.deadline).toBeUndefined();
    expect(envelope.fingerprint).toBeUndefined();
    expect(envelope.retry).toBeUndefined();
  });

  it('answers when the store has it', async () => {
    const receipt = await actors.tell(mail());
    expect(receipt).toEqual({
      id: engine.sent[0]?.[0]?.id,
      state: 'waiting',
      durability: 'memory',
    });
    expect(await engine.find(receipt.id, ['email'])).toMatchObject({ state: 'waiting' });
    expect(await actors.tell(mail(), { id: 'mine', delay: '1h' })).toEqual({
      id: 'mine',
      state: 'delayed',
      durability: 'memory',
    });
  });

  it('passes priority, headers, version and retry on', async () => {
    expect(
      await sealed({
        priority: 'high',
        headers: { 'X-Tenant_1.a': 'é', empty: '' },
        retry: { attempts: 2, delay: '3s' },
      }),
    ).toMatchObject({
      priority: 10,
      headers: { 'X-Tenant_1.a': 'é', empty: '' },
      retry: { attempts: 2, delay: 3_000 },
    });
    await actors.tell(new Chat({ message: 'hi', options: { loud: true } }), { priority: 42 });
    expect(engine.sent.at(-1)).toMatchObject([{ version: 2, priority: 42, actor: 'chat' }]);
  });

  describe('times', () => {
    it('delay counts from now', async () => {
      const { sentAt, dueAt } = await sealed({ delay: '90s' });
      expect((dueAt ?? 0) - sentAt).toBe(90_000);
    });

    it('no delay is none', async () => {
      for (const delay of [0, '0s', 0.3] as const) {
        expect(await sealed({ delay })).not.toHaveProperty('dueAt');
      }
    });

    it('at is that very moment, and a past one means at once', async () => {
      const at = new Date(Date.now() + 5_000);
      expect((await sealed({ at })).dueAt).toBe(at.getTime());
      expect(await sealed({ at: new Date(0) })).not.toHaveProperty('dueAt');
    });

    it('ttl counts from when it could start', async () => {
      const now = await sealed({ ttl: '10s' });
      expect(now.deadline).toBe(now.sentAt + 10_000);
      const delayed = await sealed({ ttl: '10s', delay: '1m' });
      expect(delayed.deadline).toBe(delayed.sentAt + 70_000);
      const at = new Date(Date.now() + 60_000);
      expect((await sealed({ ttl: 1, at })).deadline).toBe(at.getTime() + 1);
      const past = await sealed({ ttl: '1s', at: new Date(0) });
      expect(past.deadline).toBe(past.sentAt + 1_000);
    });

    it('may be a year ahead, not more', async () => {
      await sealed({ delay: '365d' });
      await sealed({ at: new Date(Date.now() + YEAR - 1_000) });
      await expect(sealed({ at: new Date(Date.now() + YEAR + 60_000) })).rejects.toThrow(
        new OptionError('at', 'must be within a year'),
      );
    });
  });

  const BAD_PRIORITY =
    'must be one of critical, high, normal, low, or a whole number from 1 to 2097152';
  const BAD_DURATION = `must be milliseconds or a string such as '10s', got`;
  const BAD_ID = 'must be a string of 1 to 200 characters';
  const BAD_HEADER = 'must be a string of at most 1024 characters';
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, '']));

  const refused: [unknown, string, string][] = [
    [{ unknown: 1 }, 'unknown', 'is not an option'],
    [{ Delay: 1 }, 'Delay', 'is not an option'],
    [JSON.parse('{"__proto__":1}'), '__proto__', 'is not an option'],
    [null, 'options', 'must be an object'],
    ['high', 'options', 'must be an object'],
    [{ replace: true }, 'replace', 'needs the id of what is to be replaced'],
    [{ id: 'x', replace: 'yes' }, 'replace', 'must be true or false'],
    [{ now: 1 }, 'now', 'must be true or false'],
    [{ tenant: '' }, 'tenant', BAD_ID],
    [{ tenant: 5 }, 'tenant', BAD_ID],
    [{ id: '' }, 'id', BAD_ID],
    [{ id: 'x'.repeat(201) }, 'id', BAD_ID],
    [{ id: 5 }, 'id', BAD_ID],
    [{ id: null }, 'id', BAD_ID],
    [{ id: 'a\0' }, 'id', BAD_ID],
    [{ id: '\uD800' }, 'id', BAD_ID],
    [{ priority: 0 }, 'priority', BAD_PRIORITY],
    [{ priority: 'urgent' }, 'priority', BAD_PRIORITY],
    [{ priority: 1.5 }, 'priority', BAD_PRIORITY],
    [{ delay: -1 }, 'delay', `${BAD_DURATION} -1`],
    [{ delay: 'soon' }, 'delay', `${BAD_DURATION} "soon"`],
    [{ delay: null }, 'delay', `${BAD_DURATION} null`],
    [{ delay: '366d' }, 'delay', 'must be at most 365d'],
    [{ delay: 1, at: new Date() }, 'at', 'cannot be combined with delay'],
    [{ delay: 0, at: new Date(0) }, 'at', 'cannot be combined with delay'],
    [{ at: new Date(NaN) }, 'at', 'must be a valid Date'],
    [{ at: '2030-01-01' }, 'at', 'must be a valid Date'],
    [{ at: 1_900_000_000_000 }, 'at', 'must be a valid Date'],
    [{ at: null }, 'at', 'must be a valid Date'],
    [{ ttl: 0 }, 'ttl', 'must be longer than 0'],
    [{ ttl: '0s' }, 'ttl', 'must be longer than 0'],
    [{ ttl: 0.4 }, 'ttl', 'must be longer than 0'],
    [{ ttl: -1 }, 'ttl', `${BAD_DURATION} -1`],
    [{ ttl: '2y' }, 'ttl', `${BAD_DURATION} "2y"`],
    [{ ttl: '366d' }, 'ttl', 'must be at most 365d'],
    [{ headers: many(33) }, 'headers', 'must be at most 32'],
    [{ headers: 'x' }, 'headers', 'must be an object'],
    [{ headers: ['x'] }, 'headers', 'must be an object'],
    [{ headers: null }, 'headers', 'must be an object'],
    [{ headers: { '': 'x' } }, 'headers.', 'is not a valid header name'],
    [{ headers: { 'a b': 'x' } }, 'headers.a b', 'is not a valid header name'],
    [{ headers: { 'a\n': 'x' } }, 'headers.a\n', 'is not a valid header name'],
    [
      { headers: { [`${'n'.repeat(65)}`]: 'x' } },
      `headers.${'n'.repeat(64)}`,
      'is not a valid header name',
    ],
    [
      { headers: JSON.parse('{"__proto__":"x"}') },
      'headers.__proto__',
      'is not a valid header name',
    ],
    [{ headers: { a: 'x'.repeat(1_025) } }, 'headers.a', BAD_HEADER],
    [{ headers: { a: 5 } }, 'headers.a', BAD_HEADER],
    [{ headers: { a: undefined } }, 'headers.a', BAD_HEADER],
    [{ headers: { a: '\0' } }, 'headers.a', BAD_HEADER],
    [{ headers: { a: '\uDFFF' } }, 'headers.a', BAD_HEADER],
    [{ retry: { attempts: 0 } }, 'retry.attempts', 'must be a whole number from 1 to 100, got 0'],
    [{ retry: { factor: 11 } }, 'retry.factor', 'must be a number from 1 to 10, got 11'],
    [{ retry: { jitter: 2 } }, 'retry.jitter', 'must be a number from 0 to 1, got 2'],
    [{ retry: { delay: 'x' } }, 'retry.delay', `${BAD_DURATION} "x"`],
    [{ retry: { max: -5 } }, 'retry.max', `${BAD_DURATION} -5`],
    [{ retry: { times: 3 } }, 'retry.times', 'is not an option'],
    [{ retry: 3 }, 'retry', 'must be an object'],
    [{ retry: null }, 'retry', 'must be an object'],
  ];

  it.each(refused)('refuses %o', async (options, path, problem) => {
    await expect(actors.tell(mail(), options as TellOptions)).rejects.toThrow(
      new OptionError(path, problem),
    );
    expect(engine.sent).toEqual([]);
  });

  it('takes what is just within the limits', async () => {
    await sealed({ id: 'x'.repeat(200) });
    await sealed({ id: ' ' });
    await sealed({ headers: many(32) });
    await sealed({ headers: { ['n'.repeat(64)]: 'x'.repeat(1_024) } });
    await sealed({ ttl: 1 });
    expect(engine.sent).toHaveLength(5);
  });

  it.each<[string, unknown]>([
    ['a plain object', { to: 'ada' }],
    ['null', null],
    ['nothing', undefined],
    ['a class', Send],
    ['a copy', Object.assign({}, mail())],
  ])('refuses %s for a message', async (_, message) => {
    await expect(actors.tell(message as Send)).rejects.toThrow(
      new OptionError('message', 'must be an instance of a class made with Message(...)'),
    );
  });

  describe('idempotency', () => {
    it.each<[string, TellOptions, TellOptions]>([
      ['other headers', { headers: { trace: '1' } }, { headers: { trace: '2' } }],
      ['the same delay in other words', { delay: '1m' }, { delay: 60_000 }],
      ['the same priority in other words', { priority: 'normal' }, {}],
      ['the same ttl in other words', { ttl: '1h' }, { ttl: '60m' }],
      ['the same past moment', { at: new Date(5) }, { at: new Date(5) }],
    ])('the same id with %s is the same message', async (_, one, two) => {
      await sealed({ id: 'x', ...one });
      await sealed({ id: 'x', ...two });
      expect(await engine.counts('email')).toMatchObject(
        one.delay ? { delayed: 1, waiting: 0 } : { waiting: 1 },
      );
    });

    it.each<[string, TellOptions]>([
      ['another delay', { delay: '1m' }],
      ['another moment', { at: new Date(5) }],
      ['another priority', { priority: 'high' }],
      ['another ttl', { ttl: '1h' }],
      ['another retry', { retry: { attempts: 2 } }],
    ])('the same id with %s is refused', async (_, other) => {
      await sealed({ id: 'x' });
      await expect(sealed({ id: 'x', ...other })).rejects.toThrow(
        new IdempotencyConflictError('x'),
      );
    });

    it('the same id with other data is refused', async () => {
      await sealed({ id: 'x' });
      await expect(actors.tell(new Send({ to: 'bob' }), { id: 'x' })).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expect(actors.tell(new Send({ to: 'ada', n: 7 }), { id: 'x' })).rejects.toThrow(
        IdempotencyConflictError,
      );
    });
  });
});

describe('tellMany', () => {
  it('sends messages, with options or without, in one step and in order', async () => {
    const receipts = await actors.tellMany([
      mail(),
      { message: mail(), options: { id: 'second', delay: '1h' } },
      new Send({ to: 'bob' }),
    ]);
    expect(engine.sent).toHaveLength(1);
    expect(engine.sent[0]?.map(({ data }) => data['to'])).toEqual(['ada', 'ada', 'bob']);
    expect(receipts.map(({ id }) => id)).toEqual(engine.sent[0]?.map(({ id }) => id));
    expect(receipts.map(({ state }) => state)).toEqual(['waiting', 'delayed', 'waiting']);
  });

  it('takes a message whose own fields are called message and options', async () => {
    await actors.tellMany([new Chat({ message: 'hi', options: { loud: false } })]);
    expect(engine.sent[0]).toMatchObject([
      { type: 'chat.say', data: { message: 'hi', options: { loud: false } } },
    ]);
  });

  it('takes a pair whose options are left out', async () => {
    await actors.tellMany([{ message: mail() } as unknown as Telling]);
    expect(engine.sent).toHaveLength(1);
  });

  it('sends nothing for nothing', async () => {
    expect(await actors.tellMany([])).toEqual([]);
    expect(engine.sent).toEqual([]);
  });

  it('takes 1,000, not 1,001', async () => {
    const full = Array.from({ length: MAX_BATCH }, mail);
    expect(await actors.tellMany(full)).toHaveLength(1_000);
    await expect(actors.tellMany([...full, mail()])).rejects.toThrow(
      new OptionError('messages', 'must be at most 1000, got 1001'),
    );
    expect(engine.sent).toHaveLength(1);
  });

  it.each<[string, unknown, string, string]>([
    ['a bad option', { message: mail(), options: { ttl: 0 } }, '2.ttl', 'must be longer than 0'],
    ['an unknown option', { message: mail(), options: { prio: 1 } }, '2.prio', 'is not an option'],
    [
      'a bad option of a group',
      { message: mail(), options: { retry: { attempts: 0 } } },
      '2.retry.attempts',
      'must be a whole number from 1 to 100, got 0',
    ],
    [
      'now for one',
      { message: mail(), options: { now: true } },
      '2.now',
      'is for all of them: tellMany(messages, { now })',
    ],
    ['no options', { message: mail(), options: null }, '2.options', 'must be an object'],
    ...([
      null,
      undefined,
      'x',
      5,
      { to: 'ada' },
      {},
      [],
      { message: { to: 'ada' }, options: {} },
    ].map((telling) => [
      JSON.stringify(telling) ?? 'undefined',
      telling,
      '2.message',
      'must be an instance of a class made with Message(...)',
    ]) as [string, unknown, string, string][]),
  ])('refuses %s, naming its place, and sends none', async (_, telling, path, problem) => {
    await expect(actors.tellMany([mail(), mail(), telling as Telling, mail()])).rejects.toThrow(
      new OptionError(path, problem),
    );
    expect(engine.sent).toEqual([]);
  });
});

describe('each way of sending has its own options', () => {
  it('ask takes no time to wait before, publish no message to replace', async () => {
    await expect(actors.ask(mail(), { delay: '1s' } as never)).rejects.toThrow(
      new OptionError('delay', 'is not an option'),
    );
    await expect(actors.publish(mail(), { id: 'x', replace: true } as never)).rejects.toThrow(
      new OptionError('replace', 'is not an option'),
    );
    await expect(actors.publish(mail(), { id: 'x'.repeat(137) })).rejects.toThrow(
      new OptionError('id', 'of an event must be at most 136 characters'),
    );
    expect(engine.sent).toEqual([]);
  });

  it('what was sent here can be cancelled here, whether its class is listed or not', async () => {
    const { id } = await actors.tell(mail(), { delay: '1h' });
    expect(await actors.cancel(id)).toBe('cancelled');
  });

  it('an id of one tenant is not that of another', async () => {
    await actors.tell(mail(), { id: 'x', tenant: 'a' });
    await expect(actors.tell(mail(), { id: 'x', tenant: 'b' })).rejects.toThrow(
      IdempotencyConflictError,
    );
  });
});
