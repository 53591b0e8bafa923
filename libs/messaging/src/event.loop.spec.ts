import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import { ActorHost } from './actor.host.js';
import { systemClock } from './clock.js';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import { ENGINE } from './engine.js';
import { EventLoop } from './event.loop.js';
import { Message } from './message.js';
import { CallsheetModule } from './messaging.module.js';
import { OPTIONS, resolveOptions } from './messaging.options.js';
import { METRICS, type Metrics } from './telemetry/metrics.js';
import { eventually } from '../../../test/support/eventually.js';

/** As a handler does that computes. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** What happened was measured and looked at, and what comes now will be. */
const measured = async (): Promise<void> => {
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setTimeout(resolve, 12));
};

let warn: MockInstance;
const warnings = () =>
  warn.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('event loop'));
beforeEach(() => void (warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue()));
afterEach(() => warn.mockRestore());

describe('an event loop that stood still', () => {
  let now: number;
  let loop: EventLoop;
  beforeEach(() => {
    now = 5_000;
    loop = new EventLoop(() => now);
  });
  afterEach(() => loop.stop());

  it('for longer than half a lock is told once in a while', async () => {
    loop.start(100);
    await measured();
    block(60);
    await eventually(() => warnings().length === 1);
    expect(warnings()[0]).toMatch(
      /^the event loop stood still for \d+ ms: a lock lasts 100 ms; move CPU work off the loop/,
    );
    const [, stood] = /for (\d+) ms/.exec(warnings()[0]!)!;
    // Rounded: half a millisecond more than half a lock is told as half a lock.
    expect(Number(stood)).toBeGreaterThanOrEqual(50);

    now += 29_999;
    await measured();
    block(60);
    await measured();
    expect(warnings()).toHaveLength(1);
    now += 1;
    block(60);
    await eventually(() => warnings().length === 2);
  });

  it('for less is no trouble, and without locks nothing is', async () => {
    for (const lock of [60_000, undefined]) {
      loop.start(lock);
      await measured();
      block(60);
      await measured();
    }
    expect(warnings()).toEqual([]);
  });

  it('is seen in the lag since it was asked last', async () => {
    expect(loop.lag()).toBeUndefined();
    loop.start();
    await measured();
    block(60);
    await measured();
    const { p50, p99, max } = loop.lag()!;
    expect(max).toBeGreaterThan(0.05);
    expect(p99).toBeGreaterThan(0.05);
    expect(p50).toBeLessThan(max);
    await measured();
    expect(loop.lag()!.max).toBeLessThan(max);
    loop.stop();
    expect(loop.lag()).toBeUndefined();
  });

  it('is no number at all before anything was measured', () => {
    loop.start();
    expect(loop.lag()).toEqual({ p50: 0, p99: 0, max: 0 });
  });
});

describe('the event loop of an application', () => {
  class Ping extends Message('ping.send', z.object({})) {}
  @Actor()
  class PingActor {
    @Handle(Ping) ping(): void {}
  }

  async function start(hasQueues: boolean, providers: unknown[] = [PingActor]) {
    const options = { ...resolveOptions({ url: 'memory:' }), lockDuration: 100 };
    const engine = new MemoryEngine(options, systemClock);
    if (hasQueues) Object.assign(engine, { queue: () => undefined });
    await engine.open();
    const module = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url: 'memory:' })],
      providers: providers as [],
    })
      .overrideProvider(OPTIONS)
      .useValue(options)
      .overrideProvider(ENGINE)
      .useValue(engine)
      .compile();
    module.useLogger(false);
    return module;
  }

  it('is watched and measured while its actors run', async () => {
    const app = await start(true);
    const text = () => app.get<Metrics>(METRICS).text();
    expect(await text()).not.toContain('lag_seconds{');
    await app.init();
    await measured();
    block(60);
    await eventually(() => warnings().length === 1);
    const longest = /^callsheet_event_loop_lag_seconds\{quantile="1"\} ([\d.]+)$/m;
    const scraped = await text();
    expect(scraped).toMatch(/^callsheet_event_loop_lag_seconds\{quantile="0.5"\} [\d.e-]+$/m);
    expect(scraped).toMatch(/^callsheet_event_loop_lag_seconds\{quantile="0.99"\} [\d.e-]+$/m);
    expect(Number(longest.exec(scraped)?.[1])).toBeGreaterThan(0.05);
    await app.get(ActorHost).stop();
    expect(await text()).not.toContain('lag_seconds{');
    await app.close();
  });

  it.each<[string, boolean, unknown[]]>([
    ['on the memory store', false, [PingActor]],
    ['without actors', true, []],
  ])('has no locks to lose %s', async (_, hasQueues, providers) => {
    const app = await start(hasQueues, providers);
    await app.init();
    await measured();
    block(60);
    await measured();
    expect(app.get(EventLoop).lag()?.max).toBeGreaterThan(0.05);
    expect(warnings()).toEqual([]);
    await app.close();
    expect(app.get(EventLoop).lag()).toBeUndefined();
  });
});
