import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import { resolveOptions } from './messaging.options.js';
import { Subscribers } from './subscribers.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';

/** The memory engine; what it is asked can be counted, held up and made to fail. */
class Asked extends MemoryEngine {
  count = 0;
  answer?: () => Promise<string[]>;

  override subscribers(type: string): Promise<string[]> {
    this.count++;
    return this.answer?.() ?? super.subscribers(type);
  }
}

let clock: VirtualClock;
let engine: Asked;
let subscribers: Subscribers;

beforeEach(async () => {
  clock = new VirtualClock();
  engine = new Asked(resolveOptions({ url: 'memory:' }), clock);
  subscribers = new Subscribers(engine, clock);
  await engine.subscribe('mail', ['bank.paid']);
});

describe('subscribers', () => {
  it('are those of the store, remembered for a second', async () => {
    expect(await subscribers.of('bank.paid')).toEqual(['mail']);
    await engine.subscribe('audit', ['bank.paid']);
    await clock.advance(999);
    expect(await subscribers.of('bank.paid')).toEqual(['mail']);
    expect(engine.count).toBe(1);
    await clock.advance(1);
    expect(await subscribers.of('bank.paid')).toEqual(['audit', 'mail']);
  });

  it('are remembered by type', async () => {
    expect(await subscribers.of('bank.paid')).toEqual(['mail']);
    expect(await subscribers.of('bank.lost')).toEqual([]);
  });

  it('are looked up once for all who ask meanwhile', async () => {
    await Promise.all([subscribers.of('bank.paid'), subscribers.of('bank.paid')]);
    expect(engine.count).toBe(1);
  });

  it('of this process count from the moment they are stored', async () => {
    await subscribers.of('bank.paid');
    await subscribers.set('audit', ['bank.paid']);
    expect(await subscribers.of('bank.paid')).toEqual(['audit', 'mail']);
    await subscribers.set('mail', []);
    expect(await subscribers.of('bank.paid')).toEqual(['audit']);
  });

  it('are looked up again after a failure', async () => {
    engine.answer = () => Promise.reject(new Error('away'));
    await expect(subscribers.of('bank.paid')).rejects.toThrow('away');
    engine.answer = undefined;
    expect(await subscribers.of('bank.paid')).toEqual(['mail']);
  });

  it('stay remembered when an older look-up fails late', async () => {
    let fail = (_: Error): void => undefined;
    engine.answer = () => new Promise((_, reject) => (fail = reject));
    const older = subscribers.of('bank.paid');
    engine.answer = undefined;
    await clock.advance('1s');
    await subscribers.of('bank.paid');
    fail(new Error('late'));
    await expect(older).rejects.toThrow('late');
    await loopTurn();
    await subscribers.of('bank.paid');
    expect(engine.count).toBe(2);
  });

  it('are not remembered for longer when the clock is set back', async () => {
    let time = 1_000_000;
    const moved = new Subscribers(engine, { now: () => time, after: () => () => undefined });
    await moved.of('bank.paid');
    await engine.subscribe('audit', ['bank.paid']);
    time -= 600_000;
    expect(await moved.of('bank.paid')).toEqual(['audit', 'mail']);
  });
});
