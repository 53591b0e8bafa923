import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { state, turnsOf, type Run } from '../../../../test/support/bank.turns.js';
import { systemClock } from '../clock.js';
import type { Consumer, Engine, MessageRecord } from '../engine.js';
import { MemoryEngine } from '../drivers/memory/memory.engine.js';
import { fingerprintOf, generateId, type Envelope } from '../envelope.js';
import { Happenings } from '../happenings.js';
import { Keys } from '../keys.js';
import { IdempotencyConflictError, UnreadableError } from '../messaging.errors.js';
import { resolveOptions } from '../messaging.options.js';
import { Signals } from '../signals.js';
import { turnRunner } from '../turn.runner.js';
import { EncryptedEngine } from './encrypted.engine.js';
import { unreadable } from './encrypted.js';
import { KeyRing } from './key.ring.js';

const secretOf = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const [k1, k2] = [`k1:${secretOf(1)}`, `k2:${secretOf(2)}`];

/** What is stored, behind the back of whoever encrypts. */
let store: MemoryEngine;
let consumers: Consumer[];
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
beforeEach(() => {
  store = new MemoryEngine(resolveOptions({ url: 'memory:' }));
  consumers = [];
});
afterEach(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop(0)));
  await store.close();
});

const engineOf = (...keys: string[]): Engine =>
  keys.length === 0 ? store : new EncryptedEngine(store, KeyRing.parse(keys.join(','))!);

/** A worker of the bank, whose handler is `run`. */
async function work(engine: Engine, run: Run): Promise<void> {
  const options = { concurrency: 1, mailbox: Infinity, reads: new Set<string>() };
  const turns = turnsOf(run, {}, { state, clock: systemClock, retry: { attempts: 1 } });
  consumers.push(await engine.consume('bank', options, turnRunner(turns)));
}

function pay(card: string, fields: Partial<Envelope> = {}): Envelope {
  return {
    id: generateId('bank'),
    type: 'bank.pay',
    version: 1,
    actor: 'bank',
    data: { account: 'a-1', card },
    key: 'a-1',
    priority: 100,
    sentAt: Date.now(),
    headers: {},
    ...fields,
  };
}

async function ended(id: string, state: MessageRecord['state']): Promise<MessageRecord> {
  return eventually(async () => {
    const record = await store.find(id, ['bank']);
    if (record?.state !== state) throw new Error(`${id} is ${record?.state}, not ${state}`);
    return record;
  });
}

const named = (body: string): Envelope =>
  pay(body, { id: 'order-7', fingerprint: fingerprintOf(body) });

describe('a message', () => {
  it('is stored without a word of its data, and handled with it', async () => {
    const engine = engineOf(k1);
    const sent = pay('canary');
    await engine.send([sent]);
    const kept = await store.find(sent.id, ['bank']);
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(kept?.envelope.data).toEqual({ $encrypted: expect.objectContaining({ kid: 'k1' }) });
    expect(kept?.envelope).toMatchObject({ id: sent.id, type: 'bank.pay', key: 'a-1' });
    const seen: string[] = [];
    await work(engine, ({ card }) => void seen.push(card));
    await ended(sent.id, 'done');
    expect(seen).toEqual(['canary']);
    expect((await engine.find(sent.id, ['bank']))?.envelope).toEqual(sent);
  });

  it('that was stored before there were keys is handled too', async () => {
    const sent = pay('plain');
    await engineOf().send([sent]);
    const seen: string[] = [];
    await work(engineOf(k1), ({ card }) => void seen.push(card));
    await ended(sent.id, 'done');
    expect(seen).toEqual(['plain']);
  });

  it.each([
    ['has not its key', [k2], /encrypted with key 'k1', which this process does not have/],
    ['has no keys', [], /encrypted with key 'k1', which this process does not have/],
    ['has another key of that id', [`k1:${secretOf(9)}`], /cannot be decrypted with key 'k1'/],
  ])('is a dead letter where the process %s, until one has it', async (_, keys, message) => {
    const sent = pay('canary');
    await engineOf(k1).send([sent]);
    const seen: string[] = [];
    await work(engineOf(...keys), ({ card }) => void seen.push(card));
    await ended(sent.id, 'dead');
    const letter = await engineOf(...keys).find(sent.id, ['bank']);
    expect(letter).toMatchObject({ reason: 'invalid', history: [{ attempt: 1 }] });
    expect(letter?.history[0]?.error).toMatchObject({
      name: 'InvalidMessageError',
      code: 'invalid_message',
    });
    expect(letter?.history[0]?.error.message).toMatch(message);
    expect(unreadable(letter!.envelope)).toMatch(message);
    expect(seen).toEqual([]);
    await consumers.pop()?.stop(0);
    const engine = engineOf(k2, k1);
    await engine.redrive(sent.id, ['bank']);
    await work(engine, ({ card }) => void seen.push(card));
    await ended(sent.id, 'done');
    expect(seen).toEqual(['canary']);
  });

  it('is a dead letter wherever else it is put, or whatever is changed about it', async () => {
    const one = pay('canary');
    await engineOf(k1).send([one]);
    const { envelope } = (await store.find(one.id, ['bank']))!;
    const hidden = envelope.data['$encrypted'] as Record<string, string>;
    await store.cancel(one.id, ['bank']);
    const changed: Partial<Envelope>[] = [
      {},
      { data: { $encrypted: { ...hidden, text: hidden['text']!.slice(4) } } },
      { data: { $encrypted: {} } },
      { data: { account: 'a-1', card: 'forged' } },
    ];
    const moved = changed.map((change) => ({ ...envelope, id: generateId('bank'), ...change }));
    await store.send(moved);
    const seen: string[] = [];
    await work(engineOf(k1), ({ card }) => void seen.push(card));
    for (const { id } of moved)
      expect(await ended(id, 'dead')).toMatchObject({ reason: 'invalid' });
    expect(seen).toEqual([]);
  });

  it.each([
    ['tenant', { tenant: 'other' }],
    ['key', { key: 'a-2' }],
    ['topic', { topic: 'a.b' }],
    ['version', { version: 2 }],
    ['type', { type: 'bank.note' }],
  ] as const)('with the same id, but another %s, is not that message', async (_, change) => {
    const sent = pay('canary');
    await engineOf(k1).send([sent]);
    const { envelope } = (await store.find(sent.id, ['bank']))!;
    const other = new MemoryEngine(resolveOptions({ url: 'memory:' }));
    await other.send([{ ...envelope, ...change }]);
    const found = await new EncryptedEngine(other, KeyRing.parse(k1)!).find(sent.id, ['bank']);
    expect(unreadable(found!.envelope)).toMatch(/^cannot be decrypted with key 'k1'/);
    await other.close();
  });

  it('keeps no word of what it failed with in the store, and all of it for those with the key', async () => {
    const engine = engineOf(k1);
    const sent = pay('x');
    await engine.send([sent]);
    await work(engine, () => {
      throw Object.assign(new Error('about the canary'), { code: 'E_BIRD' });
    });
    const kept = await ended(sent.id, 'dead');
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(kept.history[0]?.error).toMatchObject({ name: 'Error', code: 'E_BIRD' });
    const [attempt] = (await engine.find(sent.id, ['bank']))!.history;
    expect(attempt?.error.message).toBe('about the canary');
    expect(attempt?.error.stack).toContain('canary');
    const [letter] = await engineOf(k2).deadLetters(['bank'], { limit: 1 });
    expect(letter?.history[0]?.error.message).toMatch(/'k1', which this process does not have/);
  });
});

it('keys are turned on and off again without a dead letter, if all can read before any writes', async () => {
  const seen: string[] = [];
  // What is encrypted is written again before the key is taken away.
  const steps = [[], ['none', k1], [k1], ['none', k1], ['none', k1], []];
  for (const [step, keys] of steps.entries()) {
    // The process of this step and that of the next one, each sends and each handles.
    const both = [engineOf(...keys), engineOf(...(steps[step + 1] ?? keys))];
    const sent = both.map(() => pay(`${step}`));
    for (const [index, engine] of both.entries()) {
      await engine.send([sent[index]!]);
    }
    for (const engine of both.reverse()) {
      await work(engine, ({ card }, turn) => {
        turn.state.balance += 1;
        seen.push(card);
      });
    }
    for (const { id } of sent) await ended(id, 'done');
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(0)));
  }
  expect(seen).toEqual(['0', '0', '1', '1', '2', '2', '3', '3', '4', '4', '5', '5']);
});

describe('an id that its sender chose', () => {
  it('is the same message with the same body, also after the keys have changed', async () => {
    await engineOf().send([named('plain')]);
    for (const keys of [['none', k1], [k1], [k1, k2], [k2, k1], ['none', k2]]) {
      await expect(engineOf(...keys).send([named('plain')])).resolves.toBeUndefined();
      const other = engineOf(...keys).send([named('other')]);
      await expect(other).rejects.toThrow(IdempotencyConflictError);
    }
    expect(await store.counts('bank')).toMatchObject({ waiting: 1 });
  });

  it('of a batch is looked for by itself', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ ...named(id), id }));
    await engineOf(k1).send([a!]);
    await engineOf(k2).send([b!]);
    await engineOf(k2, k1).send([a!, b!, c!, pay('x')]);
    expect(await store.counts('bank')).toMatchObject({ waiting: 4 });
    await expect(engineOf(k2, k1).send([{ ...named('z'), id: 'a' }, pay('y')])).rejects.toThrow(
      IdempotencyConflictError,
    );
    expect(await store.counts('bank')).toMatchObject({ waiting: 4 });
  });

  it('has a digest that cannot be tried without a key', async () => {
    const sent = named('canary');
    await engineOf(k1).send([sent]);
    const kept = await store.find(sent.id, ['bank']);
    expect(kept?.envelope.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(kept)).not.toContain(sent.fingerprint);
  });

  it('may be sent by a turn that was sent again after a rotation', async () => {
    const next = { ...named('next'), actor: 'next', type: 'next.do' as const };
    await engineOf(k1).send([next]);
    const engine = engineOf(k2, k1);
    const sent = pay('x');
    await engine.send([sent]);
    const options = { concurrency: 1, mailbox: Infinity, reads: new Set<string>() };
    const refusals: string[] = [];
    const refused = (error: Error) => {
      refusals.push(error.name);
      return { kind: 'done' as const };
    };
    const other = { ...named('another'), actor: 'next', type: 'next.do' as const };
    let turns = 0;
    consumers.push(
      await engine.consume('bank', options, async () => ({
        kind: 'done',
        effects: { sends: [++turns === 1 ? next : other], reply: { data: turns } },
        refused,
      })),
    );
    await ended(sent.id, 'done');
    expect((await engine.find(sent.id, ['bank']))?.reply).toEqual({ data: 1 });
    expect(refusals).toEqual([]);
    const second = pay('x');
    await engine.send([second]);
    await ended(second.id, 'done');
    expect(refusals).toEqual(['IdempotencyConflictError']);
    expect((await engine.find(second.id, ['bank']))?.reply).toBeUndefined();
  });
});

describe('the state of a key', () => {
  const paid: Run = (_, turn) => {
    turn.state.balance += 1;
    turn.journal({ canary: 'canary' });
  };

  it('and its journal are stored without a word, and read with the key', async () => {
    const engine = engineOf(k1);
    await work(engine, paid);
    const sent = pay('x');
    await engine.send([sent]);
    await ended(sent.id, 'done');
    expect(JSON.stringify(await store.state('bank', 'a-1'))).not.toContain('balance');
    expect(JSON.stringify(await store.journal('bank', 'a-1', { limit: 9 }))).not.toContain(
      'canary',
    );
    expect(await engine.state('bank', 'a-1')).toEqual({
      revision: 1,
      version: 1,
      data: { balance: 1 },
    });
    expect(await engine.states('bank', { limit: 9 })).toMatchObject([
      { key: 'a-1', state: { data: { balance: 1 } } },
    ]);
    expect(await engine.journal('bank', 'a-1', { limit: 9 })).toMatchObject([
      { row: { canary: 'canary' } },
    ]);
  });

  it.each([
    ['no keys', []],
    ['another key', [k2]],
  ])(
    'is not begun anew by a process with %s: its turn fails, and it stays as it is',
    async (_, keys) => {
      const first = pay('x');
      await work(engineOf(k1), paid);
      await engineOf(k1).send([first]);
      await ended(first.id, 'done');
      await consumers.pop()?.stop(0);
      const before = await store.state('bank', 'a-1');
      const second = pay('x');
      const engine = engineOf(...keys);
      await engine.send([second]);
      await work(engine, paid);
      await ended(second.id, 'dead');
      const letter = await engine.find(second.id, ['bank']);
      expect(letter?.history[0]?.error).toMatchObject({ name: 'InvalidStateError' });
      expect(letter?.history[0]?.error.message).toMatch(
        /state of bank.*'k1', which this process does not have/,
      );
      expect(await store.state('bank', 'a-1')).toEqual(before);
      const happenings = new Happenings(engine, systemClock, new Signals(engine));
      await expect(new Keys(engine, happenings).journal('bank', 'a-1')).rejects.toThrow(
        UnreadableError,
      );
    },
  );

  it('is not that of another key, nor a row that of another journal', async () => {
    await work(engineOf(k1), paid);
    const sent = pay('x');
    await engineOf(k1).send([sent]);
    await ended(sent.id, 'done');
    const kept = (await store.state('bank', 'a-1'))!;
    const [row] = await store.journal('bank', 'a-1', { limit: 1 });
    await consumers.pop()?.stop(0);
    const options = { concurrency: 1, mailbox: Infinity, reads: new Set<string>() };
    const moved = pay('x', { key: 'a-2', data: { account: 'a-2' } });
    await store.send([moved]);
    consumers.push(
      await store.consume('bank', options, async () => ({
        kind: 'done',
        effects: {
          sends: [],
          state: { ...kept, revision: 0 },
          journal: { rows: [row!.row], keep: 9 },
        },
      })),
    );
    await ended(moved.id, 'done');
    const engine = engineOf(k1);
    expect(unreadable((await engine.state('bank', 'a-2'))!)).toMatch(/^cannot be decrypted/);
    const [found] = await engine.journal('bank', 'a-2', { limit: 1 });
    expect(unreadable({ data: found!.row })).toMatch(/^cannot be decrypted/);
  });
});

it('a dead letter that is mended is encrypted again', async () => {
  const sent = pay('x');
  await engineOf(k1).send([sent]);
  await work(engineOf(), () => undefined);
  await ended(sent.id, 'dead');
  await consumers.pop()?.stop(0);
  const engine = engineOf(k2);
  const edited = { data: { account: 'a-1', card: 'canary' } };
  expect(await engine.redrive(sent.id, ['bank'], edited)).toBe(true);
  expect(await engine.redrive(sent.id, ['bank'], edited)).toBe(false);
  expect(await engine.redrive('nobody', ['bank'], edited)).toBe(false);
  expect(JSON.stringify(await store.find(sent.id, ['bank']))).not.toContain('canary');
  const seen: string[] = [];
  await work(engine, ({ card }) => void seen.push(card));
  await ended(sent.id, 'done');
  expect(seen).toEqual(['canary']);
});
