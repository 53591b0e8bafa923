import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/support/eventually.js';
import { DeadLetters, type DeadLetterFilter } from './dead.letters.js';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import type { DeadLetterPlace, DeadReason, Outcome } from './engine.js';
import type { Envelope } from './envelope.js';
import { Message } from './message.js';
import { MessageRegistry } from './message.registry.js';
import {
  InvalidMessageError,
  NewerVersionError,
  OptionError,
  UnknownMessageError,
} from './messaging.errors.js';
import { resolveOptions } from './messaging.options.js';
import { seal } from './sealing.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';

class Pay extends Message('bank.pay', z.object({ amount: z.number().positive() })) {}
class Open extends Message(
  'bank.open',
  z.object({ account: z.string(), amount: z.number().default(0) }),
  { key: 'account', version: 2, upcast: { 1: (old) => old } },
) {}
/** Its key is its url, unless it says another. */
class Call extends Message(
  'bank.call',
  z
    .object({ url: z.string(), line: z.string().optional() })
    .transform((call) => ({ ...call, line: call.line ?? call.url })),
  { key: 'line' },
) {}
class Mail extends Message('mail.send', z.object({ to: z.string() })) {}
/** Known to whoever sent it, not to this process. */
class Foreign extends Message('bank.foreign', z.object({})) {}

/** The memory engine, keeping the order in which it was told to act. */
class Acting extends MemoryEngine {
  acted: string[] = [];
  pages = 0;

  override deadLetters(...given: Parameters<MemoryEngine['deadLetters']>) {
    this.pages++;
    return super.deadLetters(...given);
  }

  override redrive(...given: Parameters<MemoryEngine['redrive']>) {
    this.acted.push(given[0]);
    return super.redrive(...given);
  }

  override discard(...given: Parameters<MemoryEngine['discard']>) {
    this.acted.push(given[0]);
    return super.discard(...given);
  }
}

let clock: VirtualClock;
let engine: Acting;
let letters: DeadLetters;
let consumers: { limit(concurrency: number): void }[];
/** Why each message dies, by id. */
let reasons: Map<string, [DeadReason, string]>;

beforeEach(async () => {
  clock = new VirtualClock();
  const options = resolveOptions({ url: 'memory:', messages: [Pay, Open, Call, Mail] });
  engine = new Acting(options, clock);
  letters = new DeadLetters(engine, new MessageRegistry(options));
  reasons = new Map();
  const die = async ({ envelope }: { envelope: Envelope }): Promise<Outcome> => {
    const [reason, message] = reasons.get(envelope.id) ?? ['rejected', 'no'];
    const error = { name: 'Error', message, ...(message === 'one' && { code: 'E_ONE' }) };
    const [startedAt, finishedAt] = [clock.now(), clock.now()];
    return { kind: 'dead', reason, attempt: { attempt: 1, startedAt, finishedAt, error } };
  };
  consumers = [];
  for (const actor of ['bank', 'mail']) {
    consumers.push(await engine.consume(actor, { concurrency: 10_000 }, die));
  }
  return () => engine.close();
});

interface Dying {
  reason?: DeadReason;
  error?: string;
  tenant?: string;
}

/** Sends a message that becomes a dead letter at this moment. */
async function bury(
  message: Pay | Open | Call | Mail | Foreign,
  id: string,
  { reason = 'rejected', error = 'no', tenant }: Dying = {},
): Promise<void> {
  reasons.set(id, [reason, error]);
  const options = { id, ...(tenant !== undefined && { tenant }) };
  await engine.send([seal(message as never, options, { now: clock.now() }, '')]);
  await settle();
}

async function settle(): Promise<void> {
  for (let n = 0; n < 5; n++) await loopTurn();
}

async function idsOf(filter?: DeadLetterFilter): Promise<string[]> {
  return (await letters.list(filter, { limit: 5_000 })).map(({ envelope }) => envelope.id);
}

/** From now on nothing starts. */
function rest(): void {
  for (const consumer of consumers) consumer.limit(0);
}

describe('a list of dead letters', () => {
  it('is newest first, with a fingerprint of the trouble', async () => {
    await bury(new Pay({ amount: 1 }), 'a', { error: 'account 17 is closed' });
    await clock.advance('1s');
    await bury(new Pay({ amount: 2 }), 'b', { error: 'account 18 is closed' });
    await clock.advance('1s');
    await bury(new Mail({ to: 'x' }), 'c');
    const list = await letters.list();
    expect(list.map(({ envelope }) => envelope.id)).toEqual(['c', 'b', 'a']);
    expect(list[1]?.fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect(list[1]?.fingerprint).toBe(list[2]?.fingerprint);
    expect(list[0]?.fingerprint).not.toBe(list[2]?.fingerprint);
    expect(await letters.get('b')).toEqual(list[1]);
  });

  it('goes on over as many pages as there are', async () => {
    const sends = Array.from({ length: 1_201 }, (_, n) =>
      seal(new Pay({ amount: n + 1 }), { id: `p-${n}` }, { now: clock.now() }, ''),
    );
    await engine.send(sends);
    await settle();
    expect(new Set(await idsOf()).size).toBe(1_201);
    expect(engine.pages).toBe(3);
    // The one that is looked for is on the last page.
    reasons.set('odd', ['invalid', 'odd']);
    await engine.discard('p-0', ['bank']);
    const groups = await letters.groups();
    expect(groups).toMatchObject([{ count: 1_200, type: 'bank.pay', reason: 'rejected' }]);
    expect(groups[0]?.ids).toHaveLength(5);
  });

  it('begins after a place, and has at most as many as asked for', async () => {
    for (const id of ['a', 'b', 'c', 'd']) {
      await bury(new Pay({ amount: 1 }), id);
      await clock.advance('1s');
    }
    const [first, second] = await letters.list({}, { limit: 2 });
    expect([first?.envelope.id, second?.envelope.id]).toEqual(['d', 'c']);
    const after = { finishedAt: second!.finishedAt!, storageId: second!.storageId };
    const rest = await letters.list({}, { after, limit: 1 });
    expect(rest.map(({ envelope }) => envelope.id)).toEqual(['b']);
  });

  it('in pages says where to go on, also when its time is up', async () => {
    const others = Array.from({ length: 1_100 }, (_, n) =>
      seal(new Pay({ amount: 1 }), { id: `o${n}`, tenant: 'other' }, { now: clock.now() }, ''),
    );
    for (const id of ['a', 'b', 'c']) {
      await bury(new Pay({ amount: 1 }), id, { tenant: 'own' });
      await clock.advance(1);
    }
    await engine.send(others);
    await eventually(async () => (await idsOf()).length === 1_103);
    let now = 0;
    const time = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => time.mockRestore());
    const read = engine.deadLetters.bind(engine);
    // Each reading of the store takes longer than a call may.
    const reads = vi.spyOn(engine, 'deadLetters').mockImplementation((...given) => {
      now += 5_000;
      return read(...given);
    });
    const pages: string[][] = [];
    let after: DeadLetterPlace | undefined;
    do {
      const page = await letters.page({ tenant: 'own' }, { limit: 2, ...(after && { after }) });
      pages.push(page.letters.map(({ envelope }) => envelope.id));
      after = page.next;
    } while (after && pages.length < 9);
    expect(pages).toEqual([[], [], ['c', 'b'], ['a']]);
    expect(reads).toHaveBeenCalledTimes(4);
    await expect(letters.page({}, { limit: 0 })).rejects.toThrow(OptionError);
  });

  it.each([0, -1, 1.5, NaN, '5'])('is not as long as %o', async (limit) => {
    await expect(letters.list({}, { limit: limit as number })).rejects.toThrow(
      new OptionError('limit', 'must be a whole number from 1'),
    );
  });
});

describe('a filter', () => {
  beforeEach(async () => {
    await bury(new Pay({ amount: 1 }), 'old', { tenant: 't1', error: 'one' });
    await clock.advance('1m');
    await bury(new Pay({ amount: 1 }), 'pay', { reason: 'exhausted', tenant: 't2' });
    await bury(new Open({ account: 'a' }), 'open', { tenant: 't1' });
    await clock.advance('1s');
    await bury(new Mail({ to: 'x' }), 'mail');
  });

  it.each<[string, () => DeadLetterFilter, string[]]>([
    ['actor', () => ({ actor: 'mail' }), ['mail']],
    ['an actor that there is not', () => ({ actor: 'nobody' }), []],
    ['no name', () => ({ actor: '' }), []],
    ['type', () => ({ type: 'bank.open' }), ['open']],
    ['reason', () => ({ reason: 'exhausted' }), ['pay']],
    ['the name of the error', () => ({ error: 'Error' }), ['mail', 'pay', 'open', 'old']],
    ['the code of the error', () => ({ error: 'E_ONE' }), ['old']],
    ['no text of the error', () => ({ error: 'one' }), []],
    ['tenant', () => ({ tenant: 't1' }), ['open', 'old']],
    ['time', () => ({ before: new Date(clock.now() - 61_000 + 1) }), ['old']],
    ['time, not at it', () => ({ before: new Date(clock.now() - 61_000) }), []],
    ['several', () => ({ tenant: 't1', type: 'bank.pay' }), ['old']],
  ])('keeps those of %s', async (_, filter, ids) => {
    expect(await idsOf(filter())).toEqual(ids);
  });

  it('keeps those of one trouble', async () => {
    const { fingerprint } = (await letters.get('old'))!;
    expect(await idsOf({ fingerprint })).toEqual(['old']);
  });

  it('that keeps none discards and redrives none', async () => {
    expect(await letters.discardAll({ actor: '' })).toBe(0);
    expect(await letters.redriveAll({ tenant: 'other' })).toBe(0);
    expect(engine.acted).toEqual([]);
  });

  it('that does not exist, or cannot be read, is an error and not all letters', async () => {
    await expect(letters.discardAll({ tenat: 't1' } as never)).rejects.toThrow(
      new OptionError('filter.tenat', 'is not a filter'),
    );
    for (const before of ['2026-01-01', new Date('no'), 5]) {
      await expect(letters.discardAll({ before: before as Date })).rejects.toThrow(
        new OptionError('filter.before', 'must be a valid Date'),
      );
    }
    expect(engine.acted).toEqual([]);
  });
});

describe('groups of letters', () => {
  it('are the most frequent first, each with its newest error and its span', async () => {
    const began = clock.now();
    await bury(new Mail({ to: 'x' }), 'm');
    for (const n of [1, 2]) {
      await clock.advance('1s');
      await bury(new Pay({ amount: n }), `p${n}`, { error: `account ${n} is closed` });
    }
    expect(await letters.groups()).toMatchObject([
      {
        count: 2,
        actor: 'bank',
        type: 'bank.pay',
        error: { name: 'Error', message: 'account 2 is closed' },
        first: began + 1_000,
        last: began + 2_000,
        ids: ['p2', 'p1'],
      },
      { count: 1, actor: 'mail', first: began, last: began, ids: ['m'] },
    ]);
    expect(await letters.groupSome()).toEqual({ groups: await letters.groups(), complete: true });
  });

  it('say what could not be looked at in time', async () => {
    await bury(new Mail({ to: 'x' }), 'old');
    await clock.advance('1s');
    const sends = Array.from({ length: 1_100 }, (_, n) =>
      seal(new Pay({ amount: n + 1 }), { id: `p-${n}` }, { now: clock.now() }, ''),
    );
    await engine.send(sends);
    await eventually(async () => (await idsOf()).length === 1_101);
    let now = 0;
    const time = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => time.mockRestore());
    const read = engine.deadLetters.bind(engine);
    // The second reading of the store is the last for which there is time.
    vi.spyOn(engine, 'deadLetters').mockImplementation((...given) => {
      now += 1_500;
      return read(...given);
    });
    expect(await letters.groupSome()).toMatchObject({
      groups: [{ type: 'bank.pay', count: 1_000 }],
      complete: false,
      since: clock.now(),
    });
    expect(await letters.groupSome({ actor: 'mail' })).toMatchObject({
      groups: [{ ids: ['old'] }],
      complete: true,
    });
    await expect(letters.groupSome({ of: 'x' } as DeadLetterFilter)).rejects.toThrow(OptionError);
  });
});

describe('redriving', () => {
  it('all of them begins with the oldest, whatever page it is on', async () => {
    for (const id of ['a', 'b', 'c']) {
      await bury(new Pay({ amount: 1 }), id);
      await clock.advance('1s');
    }
    rest();
    expect(await letters.redriveAll({ actor: 'bank' })).toBe(3);
    expect(engine.acted).toEqual(['a', 'b', 'c']);
    expect(await idsOf()).toEqual([]);
  });

  it('takes none twice that dies again meanwhile', async () => {
    for (const id of ['a', 'b']) await bury(new Pay({ amount: 1 }), id);
    expect(await letters.redriveAll({})).toBe(2);
    await settle();
    expect(engine.acted).toHaveLength(2);
    expect(await idsOf()).toHaveLength(2);
  });

  it('some of them takes the oldest that match, and says whether more are left', async () => {
    for (const id of ['a', 'b', 'c', 'd']) {
      await bury(id === 'b' ? new Mail({ to: 'x' }) : new Pay({ amount: 1 }), id);
      await clock.advance('1s');
    }
    rest();
    const filter = { actor: 'bank' };
    const counted = await letters.redriveSome(filter, { limit: 2, dryRun: true });
    expect([counted, engine.acted]).toEqual([{ count: 2, matched: 3, more: true }, []]);
    expect(await letters.redriveSome(filter, { limit: 2 })).toEqual(counted);
    expect(await letters.redriveSome(filter, { limit: 2 })).toEqual({
      count: 1,
      matched: 1,
      more: false,
    });
    expect(engine.acted).toEqual(['a', 'c', 'd']);
    expect(await idsOf()).toEqual(['b']);
  });

  it('some of them counts those alone that were there', async () => {
    for (const id of ['a', 'b']) await bury(new Pay({ amount: 1 }), id);
    rest();
    const redrive = engine.redrive.bind(engine);
    // Somebody else is quicker.
    engine.redrive = async (...given) => {
      await redrive(...given);
      return given[0] === 'a' ? false : redrive('nobody', ['bank']).then(() => true);
    };
    expect(await letters.redriveSome({})).toEqual({ count: 1, matched: 2, more: false });
  });

  it.each([0, 1_001, 1.5, NaN, '5'])('some of them is not as many as %o', async (limit) => {
    await expect(letters.redriveSome({}, { limit: limit as number })).rejects.toThrow(
      new OptionError('limit', 'must be a whole number from 1 to 1000'),
    );
  });

  it('some of them needs a filter that says what it narrows', async () => {
    await expect(letters.redriveSome({ actor: undefined } as never)).rejects.toThrow(OptionError);
    expect(engine.acted).toEqual([]);
  });

  it('says when there is no such letter', async () => {
    expect(await letters.redrive('nobody')).toBe(false);
    expect(await letters.redrive('nobody', { amount: 1 })).toBe(false);
    expect(await letters.discard('nobody')).toBe(false);
  });

  it('puts edited data in the place of the old', async () => {
    await bury(new Pay({ amount: 1 }), 'a');
    rest();
    expect(await letters.redrive('a', { amount: 7 })).toBe(true);
    expect(await engine.find('a', ['bank'])).toMatchObject({
      state: 'waiting',
      redrives: 1,
      envelope: { data: { amount: 7 } },
    });
  });

  it.each<[string, unknown]>([
    ['does not satisfy the schema', { amount: -1 }],
    ['cannot be carried', { amount: 1, run: () => 1 }],
    ['is nothing', null],
  ])('leaves the letter where it is when edited data %s', async (_, edited) => {
    await bury(new Pay({ amount: 1 }), 'a');
    await expect(letters.redrive('a', edited)).rejects.toThrow(InvalidMessageError);
    expect(engine.acted).toEqual([]);
    expect(await letters.get('a')).toMatchObject({ envelope: { data: { amount: 1 } } });
  });

  it('does not bring a message into the mailbox of another key', async () => {
    await bury(new Open({ account: 'a-1' }), 'a');
    await expect(letters.redrive('a', { account: 'a-2' })).rejects.toMatchObject({
      code: 'invalid_message',
      violations: [{ path: 'account' }],
    });
    expect(engine.acted).toEqual([]);
    rest();
    expect(await letters.redrive('a', { account: 'a-1', amount: 3 })).toBe(true);
  });

  it('says how a key stays that the data does not give', async () => {
    await bury(new Call({ url: 'a' }), 'a');
    await expect(letters.redrive('a', { url: 'b' })).rejects.toThrow(
      `line: is the key and must stay 'a': add "line": "a"; or discard this one and send a new message`,
    );
    expect(await letters.redrive('a', { url: 'b', line: 'a' })).toBe(true);
  });

  it('does not edit what this process does not know', async () => {
    await bury(new Foreign({}), 'a');
    await expect(letters.redrive('a', {})).rejects.toThrow(UnknownMessageError);
    const newer = seal(new Open({ account: 'a-1' }), { id: 'b' }, { now: clock.now() }, '');
    await engine.send([{ ...newer, version: 3 }]);
    await settle();
    await expect(letters.redrive('b', { account: 'a-1' })).rejects.toThrow(NewerVersionError);
    expect(engine.acted).toEqual([]);
    // As it is, it may go to a process that does.
    expect(await letters.redrive('b')).toBe(true);
  });
});

describe('a dead letter', () => {
  it('is found by its id only while it is dead', async () => {
    await bury(new Pay({ amount: 1 }), 'a');
    expect(await letters.get('a')).toMatchObject({ state: 'dead', reason: 'rejected' });
    rest();
    await letters.redrive('a');
    expect(await letters.get('a')).toBeUndefined();
    expect(await letters.get('nobody')).toBeUndefined();
  });

  it('that is discarded is gone', async () => {
    await bury(new Pay({ amount: 1 }), 'a');
    expect(await letters.discard('a')).toBe(true);
    expect(await letters.get('a')).toBeUndefined();
    expect(await engine.find('a', ['bank'])).toBeUndefined();
  });
});
