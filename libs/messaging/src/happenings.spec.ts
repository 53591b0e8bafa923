import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import { SIGNAL_BYTES } from './engine.js';
import { Happenings, type Details, type Happening } from './happenings.js';
import { StoreError } from './messaging.errors.js';
import { resolveOptions } from './messaging.options.js';
import { Signals } from './signals.js';
import { textsOf, toldBy } from './teller.js';
import { VirtualClock } from './testing/virtual.clock.js';
import { runBatch, TurnScope } from './turn.scope.js';

let engine: MemoryEngine;
let happenings: Happenings;
let heard: Happening[];

beforeEach(async () => {
  const clock = new VirtualClock();
  engine = new MemoryEngine(resolveOptions({ url: 'memory:' }), clock);
  happenings = new Happenings(engine, clock, new Signals(engine));
  heard = [];
  await happenings.listen((each) => void heard.push(each));
  return () => engine.close();
});

/** A turn as far as what it tells goes. */
const scopeOf = (isRead = false): TurnScope => new TurnScope({} as never, {} as never, isRead);

describe('a happening', () => {
  it('is told soon, with kind and time, without what is undefined, and texts are cut', async () => {
    happenings.tell('key', () => ({ key: 'a', type: undefined, reason: 'x'.repeat(500), at: 7 }));
    expect(heard).toEqual([]);
    await eventually(() => heard.length === 1);
    expect(heard).toEqual([
      { kind: 'key', at: expect.any(Number), key: 'a', reason: 'x'.repeat(200) },
    ]);
    expect(heard[0]?.at).not.toBe(7);
  });

  it('joins the turn of a handler that writes', () => {
    const scope = scopeOf();
    scope.run(() => happenings.tell('key', () => ({ key: 'a' })));
    expect(scope.signals).toHaveLength(1);
    expect(toldBy(scope.signals[0]!.text)).toMatchObject([{ kind: 'key', key: 'a' }]);
    expect(heard).toEqual([]);
  });

  it('is told all the same where it cannot join: a read, a batch, a turn that is over', async () => {
    const over = scopeOf();
    over.close();
    for (const scope of [scopeOf(true), over]) {
      scope.run(() => happenings.tell('key', () => ({})));
      expect(scope.signals).toEqual([]);
    }
    runBatch(() => happenings.tell('key', () => ({})));
    await eventually(() => heard.length === 3);
    expect(heard.map(({ kind }) => kind)).toEqual(['key', 'key', 'key']);
  });

  it('is counted when there are too many of its kind, and only of its kind', async () => {
    const made = vi.fn<() => Details>(() => ({}));
    for (let n = 0; n < 1_000; n++) happenings.tell('key', made);
    happenings.tell('actor', () => ({ actor: 'bank' }));
    await eventually(() => heard.some(({ left }) => left !== undefined));
    expect(made).toHaveBeenCalledTimes(20);
    expect(heard.filter(({ kind, left }) => kind === 'key' && left === undefined)).toHaveLength(20);
    expect(heard.filter(({ left }) => left !== undefined)).toEqual([
      { kind: 'key', at: expect.any(Number), left: 980 },
    ]);
    expect(heard.filter(({ kind }) => kind === 'actor')).toHaveLength(1);
  });

  it('hurts nobody while the store is away, and those behind it are told', async () => {
    const signal = vi.spyOn(engine, 'signal').mockRejectedValueOnce(new StoreError('away'));
    happenings.tell('key', () => ({ key: 'lost' }));
    await eventually(() => signal.mock.calls.length === 1);
    happenings.tell('key', () => ({ key: 'told' }));
    await eventually(() => heard.length === 1);
    expect(heard).toMatchObject([{ key: 'told' }]);
  });

  it('that cannot be made or told is left out with a warning, and those behind it are told', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    happenings.tell('key', () => {
      throw new Error('no details');
    });
    expect(warn.mock.calls).toEqual([["a happening 'key' is not told: Error: no details"]]);
    happenings.tell('key', () => ({ key: 1n as never }));
    await eventually(() => warn.mock.calls.length === 2);
    expect(warn.mock.calls[1]).toEqual([expect.stringMatching(/^callsheet:happened: .*BigInt/)]);
    happenings.tell('key', () => ({ key: 'told' }));
    await eventually(() => heard.length === 1);
    expect(heard).toMatchObject([{ key: 'told' }]);
  });

  it('that is left is told when the process stops, which waits for no store', async () => {
    happenings.tell('key', () => ({}));
    await happenings.onModuleDestroy();
    expect(heard).toHaveLength(1);
    vi.spyOn(engine, 'signal').mockReturnValue(new Promise(() => undefined));
    happenings.tell('key', () => ({}));
    await happenings.onModuleDestroy();
    expect(heard).toHaveLength(1);
  });
});

describe('what is told', () => {
  it('goes into as many signals as it takes, and none is too long', () => {
    const all = Array.from({ length: 300 }, (_, n) => ({ n, text: '"é'.repeat(n % 60) }));
    const texts = textsOf(all);
    expect(texts.flatMap(toldBy)).toEqual(all);
    const longest = Math.max(...texts.map((text) => Buffer.byteLength(text)));
    expect(longest).toBeLessThanOrEqual(SIGNAL_BYTES);
    expect(texts.length).toBeLessThan(30);
    expect(textsOf([{ text: 'x'.repeat(SIGNAL_BYTES) }, { n: 1 }])).toEqual(['[{"n":1}]']);
    expect(textsOf([])).toEqual([]);
  });

  it.each(['', '{', '7', 'null', '{"kind":"key"}', '[7,null,"x"]'])('is nothing in %j', (text) => {
    expect(toldBy(text)).toEqual([]);
  });
});
