import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../drivers/memory/memory.engine.js';
import type { Bindings } from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { JsonObject } from '../json.js';
import { OptionError } from '../messaging.errors.js';
import { resolveOptions } from '../messaging.options.js';
import { loopTurn, VirtualClock } from '../testing/virtual.clock.js';
import { Router } from './router.js';

/** The memory engine; what it is asked can be counted, held up and made to fail. */
class Asked extends MemoryEngine {
  count = 0;
  answer?: () => Promise<Bindings | undefined>;

  override bindings(known?: string): Promise<Bindings | undefined> {
    this.count++;
    return this.answer?.() ?? super.bindings(known);
  }
}

let clock: VirtualClock;
let engine: Asked;
let router: Router;
let warn: ReturnType<typeof vi.spyOn>;

beforeEach(async () => {
  warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  clock = new VirtualClock();
  engine = new Asked(resolveOptions({ url: 'memory:' }), clock);
  router = new Router(engine, clock);
  await engine.bind('actor:mail', [{ type: 'bank.paid' }]);
});
afterEach(() => vi.restoreAllMocks());

const event = (fields: Partial<Envelope> = {}): Envelope => ({
  id: 'e-1',
  type: 'bank.paid',
  version: 1,
  actor: 'bank',
  data: { amount: 5 },
  priority: 100,
  sentAt: clock.now(),
  headers: { region: 'eu' },
  ...fields,
});
const reached = async (fields?: Partial<Envelope>) =>
  (await router.copies(event(fields))).map(({ actor }) => actor);

const bindRoute = (id: string, route: JsonObject) =>
  engine.bind(`route:${id}`, { revision: 1, route: { id, match: {}, ...route } });

describe('the table', () => {
  it('is that of the store, remembered for a quarter of a second', async () => {
    expect(await reached()).toEqual(['mail']);
    await engine.bind('actor:audit', [{ topic: 'bank.*' }]);
    await clock.advance(249);
    expect(await reached()).toEqual(['mail']);
    expect(engine.count).toBe(1);
    await clock.advance(1);
    expect(await reached()).toEqual(['audit', 'mail']);
  });

  it('is kept while the store says that it is the same', async () => {
    const table = await router.table();
    await clock.advance('1m');
    expect(await router.table()).toBe(table);
    expect(engine.count).toBe(2);
  });

  it('is looked up once for all who ask meanwhile', async () => {
    await Promise.all([reached(), reached()]);
    expect(engine.count).toBe(1);
  });

  it('has what this process binds from the moment it is stored', async () => {
    await reached();
    await router.bind('actor:audit', [{ type: 'bank.paid' }]);
    expect(await reached()).toEqual(['audit', 'mail']);
    await router.bind('actor:mail', undefined);
    expect(await reached()).toEqual(['audit']);
  });

  it('is looked up again after a failure', async () => {
    engine.answer = () => Promise.reject(new Error('away'));
    await expect(reached()).rejects.toThrow('away');
    engine.answer = undefined;
    expect(await reached()).toEqual(['mail']);
  });

  it('stays remembered when an older look-up fails late', async () => {
    let fail = (_: Error): void => undefined;
    engine.answer = () => new Promise((_, reject) => (fail = reject));
    const older = reached();
    engine.answer = undefined;
    await clock.advance('1s');
    await reached();
    fail(new Error('late'));
    await expect(older).rejects.toThrow('late');
    await loopTurn();
    await reached();
    expect(engine.count).toBe(2);
  });

  it('is not remembered for longer when the clock is set back', async () => {
    let time = 1_000_000;
    const moved = new Router(engine, { now: () => time, after: () => () => undefined });
    await moved.table();
    await engine.bind('actor:audit', [{ type: 'bank.paid' }]);
    time -= 600_000;
    expect(await moved.receivers({ ...event(), topic: 'bank.paid' })).toHaveLength(2);
  });

  it('leaves out what it does not understand, and says so once', async () => {
    await engine.bind('actor:newer', [{ type: 'bank.paid', likes: 'more' }]);
    await engine.bind('route:x', 'no route');
    expect(await reached()).toEqual(['mail']);
    await engine.bind('actor:third', [{ type: 'bank.paid' }]);
    await clock.advance('1s');
    expect(await reached()).toEqual(['mail', 'third']);
    expect(
      warn.mock.calls.map(([text]: unknown[]) => String(text).split(' ').slice(0, 2).join(' ')),
    ).toEqual(['routing: actor:newer', 'routing: route:x']);
  });

  it('tells once of a filter that cannot be asked', async () => {
    await engine.bind('actor:picky', [{ type: 'bank.paid', when: 'data.missing > 1' }]);
    expect([await reached(), await reached({ id: 'e-2' })]).toEqual([['mail'], ['mail']]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('tells nothing of what is in an event', async () => {
    await engine.bind('actor:picky', [{ type: 'bank.paid', when: 'data[data.card] == 1' }]);
    await reached({ data: { card: '4111-1111' } });
    expect(warn.mock.calls).toEqual([
      ['routing: the filter of actor:picky cannot be asked of an event'],
    ]);
  });

  it('is not an old one again when an answer took long', async () => {
    let answer = (_: Bindings): void => undefined;
    engine.answer = () => new Promise((resolve) => (answer = resolve));
    const old = router.table();
    engine.answer = undefined;
    await clock.advance('1s');
    await engine.bind('actor:audit', [{ type: 'bank.paid' }]);
    const { version } = await router.table();
    answer({ version: 'older', owners: {} });
    await old;
    await clock.advance('1s');
    expect((await router.table()).version).toBe(version);
    expect(await reached()).toEqual(['audit', 'mail']);
  });
});

describe('a copy', () => {
  const copy = async (set: JsonObject, fields: Partial<Envelope> = {}) => {
    await bindRoute('r', { order: 1, to: ['desk'], set });
    return (await router.copies(event(fields))).find(({ actor }) => actor === 'desk');
  };

  it('is the event, for its receiver', async () => {
    expect(await router.copies(event({ topic: 'a.b.c', key: 'k' }))).toEqual([
      {
        ...event({ topic: 'a.b.c', key: 'k' }),
        id: 'e-1@mail',
        actor: 'mail',
        correlationId: 'e-1',
      },
    ]);
  });

  it('has the priority and the headers of its route', async () => {
    expect(await copy({ priority: 7, headers: { region: 'us', vip: '1' } })).toMatchObject({
      priority: 7,
      headers: { region: 'us', vip: '1' },
    });
  });

  it('is due later by the delay of its route, and then has as much time left', async () => {
    const now = clock.now();
    expect(await copy({ delay: 1_000 })).toMatchObject({ dueAt: now + 1_000 });
    expect(await copy({ delay: 1_000 }, { dueAt: now + 500, deadline: now + 700 })).toMatchObject({
      dueAt: now + 1_500,
      deadline: now + 1_700,
    });
  });

  it('is one, however often its receiver is reached', async () => {
    await bindRoute('a', { order: 2, to: ['mail'], set: { priority: 3 } });
    await bindRoute('b', { order: 1, to: ['mail'], set: { priority: 2 } });
    expect(await router.copies(event())).toMatchObject([{ actor: 'mail', priority: 2 }]);
  });
});

describe('events', () => {
  it('reach a thousand actors at most', async () => {
    for (let n = 0; n <= 1_000; n++) await engine.bind(`actor:a${n}`, [{ type: 'a.all' }]);
    await expect(router.copies(event({ type: 'a.all' }))).rejects.toThrow(
      new OptionError('event', 'must not reach more than 1000 actors'),
    );
  });
});

describe('the least loaded', () => {
  const oneOf = ['a', 'b'];

  it('is the one with the fewest messages, counted once a second', async () => {
    await bindRoute('r', { order: 1, to: [{ oneOf, by: 'load' }] });
    await engine.bind('actor:mail', undefined);
    const message = (id: string) => event({ id, type: 'a.do', actor: 'a' });
    await engine.send([message('1'), message('2')]);
    const chosen = async (n: number) => {
      const all: string[] = [];
      for (let each = 0; each < n; each++) all.push(...(await reached()));
      return all.join('');
    };
    // Two wait for a: b gets those that make it even.
    expect(await chosen(4)).toBe('bbab');
    await engine.send([event({ id: '3', type: 'b.do', actor: 'b' })]);
    await clock.advance('1s');
    expect(await chosen(2)).toBe('ba');
  });

  it('are several for many that are published at once', async () => {
    await bindRoute('r', { order: 1, to: [{ oneOf, by: 'load' }] });
    await engine.bind('actor:mail', undefined);
    const all = await Promise.all(Array.from({ length: 20 }, () => reached()));
    expect(all.flat().filter((name) => name === 'a')).toHaveLength(10);
  });

  it('is always the same one for an id, which may be published again', async () => {
    await bindRoute('r', { order: 1, to: [{ oneOf, by: 'load' }] });
    const sent = { id: 'mine', fingerprint: 'same' };
    const first = await reached(sent);
    for (let n = 0; n < 10; n++) expect(await reached(sent)).toEqual(first);
  });
});
