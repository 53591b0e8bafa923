import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryEngine } from '../drivers/memory/memory.engine.js';
import type { Json } from '../json.js';
import { resolveOptions } from '../messaging.options.js';
import { VirtualClock } from '../testing/virtual.clock.js';
import { Router } from './router.js';
import { Subscriptions } from './subscriptions.js';

/** The memory engine as if other processes could share it. */
class Shared extends MemoryEngine {
  override readonly store = {
    name: 'shared',
    durability: 'memory',
    shared: true,
    sql: false,
  } as const;
}

let clock: VirtualClock;
let engine: MemoryEngine;

beforeEach(() => {
  clock = new VirtualClock();
  engine = new Shared(resolveOptions({ url: 'memory:' }), clock);
});

/** A process whose actor `log` subscribes to these types, and what starts it. */
function processOf(...types: string[]): [Subscriptions, () => Promise<void>] {
  const subscriptions = new Subscriptions(new Router(engine, clock), engine, clock);
  onTestFinished(() => subscriptions.stop());
  const actors = [{ name: 'log', subscriptions: types.map((type) => ({ type })) }];
  return [subscriptions, () => subscriptions.start(actors)];
}

async function started(...types: string[]): Promise<Subscriptions> {
  const [subscriptions, start] = processOf(...types);
  // It waits until every process goes by it.
  await Promise.all([start(), clock.advance('250ms')]);
  return subscriptions;
}

async function inForce(): Promise<string[] | undefined> {
  const bound = (await engine.bound('actor:log')) as
    { subscriptions: { type: string }[] } | undefined;
  return bound?.subscriptions.map(({ type }) => type);
}

describe('the release that came last', () => {
  it('is in force, whatever starts again beside it', async () => {
    await started('a.old');
    await started('a.old', 'a.new');
    await started('a.old');
    expect(await inForce()).toEqual(['a.old', 'a.new']);
    await started('a.newest');
    await started('a.old', 'a.new');
    expect(await inForce()).toEqual(['a.newest']);
  });

  it('is in force also when the one before subscribed to nothing', async () => {
    await started();
    await started('a.new');
    await started();
    expect(await inForce()).toEqual(['a.new']);
  });

  it('is in force when it subscribes to nothing any more', async () => {
    await started('a.old');
    await started();
    await started('a.old');
    expect(await inForce()).toEqual([]);
  });

  it('is kept by the beats of its processes, without a change of the table', async () => {
    await started('a.old');
    await started('a.new');
    const { version } = (await engine.bindings())!;
    await clock.advance('10m');
    await started('a.old');
    expect(await engine.bindings(version)).toBeUndefined();
  });

  it('gives way to an older one when it is gone for 30 s, seen twice', async () => {
    await started('a.old');
    const newer = await started('a.new');
    newer.stop();
    await clock.advance('30s');
    expect(await inForce()).toEqual(['a.new']);
    await clock.advance('16s');
    expect(await inForce()).toEqual(['a.old']);
    // It came back too late.
    await started('a.new');
    await clock.advance('1m');
    expect(await inForce()).toEqual(['a.old']);
  });

  it('gives way to one that starts when that has missed it twice', async () => {
    (await started('a.old')).stop();
    (await started('a.new')).stop();
    await clock.advance('10m');
    await started('a.old');
    await clock.advance('15s');
    expect(await inForce()).toEqual(['a.new']);
    await clock.advance('1s');
    expect(await inForce()).toEqual(['a.old']);
  });

  it('is in force after an outage of the store, whatever starts then', async () => {
    await started('a.old');
    await started('a.new');
    const away = vi.spyOn(engine, 'bound').mockRejectedValue(new Error('away'));
    await clock.advance('35s');
    away.mockRestore();
    await started('a.old');
    expect(await inForce()).toEqual(['a.new']);
    await clock.advance('5m');
    expect(await inForce()).toEqual(['a.new']);
  });

  it('is in force though an older one has taken over from another, and looks before it is noted', async () => {
    const old = await started('a.old');
    (await started('a.middle')).stop();
    await clock.advance('10m');
    expect(await inForce()).toEqual(['a.old']);
    const [, start] = processOf('a.new');
    const starting = start();
    await clock.advance('100ms');
    expect(await inForce()).toEqual(['a.new']);
    await Promise.all([old.keepUp(), starting, clock.advance('250ms')]);
    await clock.advance('5m');
    expect(await inForce()).toEqual(['a.new']);
  });

  it('is in force when its first process died half-way', async () => {
    await started('a.old');
    const present = vi.spyOn(engine, 'present').mockRejectedValueOnce(new Error('dead'));
    await expect(started('a.new')).rejects.toThrow('dead');
    present.mockRestore();
    await started('a.old');
    expect(await inForce()).toEqual(['a.new']);

    vi.spyOn(engine, 'bind').mockRejectedValueOnce(new Error('dead'));
    await expect(started('a.newest')).rejects.toThrow('dead');
    await started('a.newest');
    expect(await inForce()).toEqual(['a.newest']);
  });
});

describe('what somebody has removed from the store', () => {
  it('is put back while a process runs', async () => {
    await started('a.b');
    await engine.bind('actor:log', undefined);
    await clock.advance('8s');
    expect(await inForce()).toEqual(['a.b']);
    const over: Json = { revision: 99, release: 'whose', subscriptions: [] };
    await engine.bind('actor:log', over);
    await clock.advance('20s');
    expect(await inForce()).toEqual(['a.b']);
  });

  it('is put back by the release that was in force, when there are two', async () => {
    const old = await started('a.old');
    await started('a.new');
    await old.keepUp();
    await engine.bind('actor:log', undefined);
    await clock.advance('9s');
    expect(await inForce()).toEqual(['a.new']);
  });

  it('is put back when an older one has started before', async () => {
    await started('a.old');
    await started('a.new');
    await engine.bind('actor:log', undefined);
    await started('a.old');
    expect(await inForce()).toEqual(['a.old']);
    await clock.advance('9s');
    expect(await inForce()).toEqual(['a.new']);
    await clock.advance('5m');
    expect(await inForce()).toEqual(['a.new']);
    await started('a.newest');
    await clock.advance('5m');
    expect(await inForce()).toEqual(['a.newest']);
  });

  it('is put back when the store was away in between', async () => {
    await started('a.b');
    await engine.bind('actor:log', undefined);
    vi.spyOn(engine, 'bound').mockRejectedValueOnce(new Error('away'));
    await clock.advance('8s');
    expect(await inForce()).toBeUndefined();
    await clock.advance('8s');
    expect(await inForce()).toEqual(['a.b']);
  });
});

describe('a decision that comes late', () => {
  it('changes nothing of what was decided meanwhile', async () => {
    const old = await started('a.old');
    const middle = await started('a.middle');
    middle.stop();
    await clock.advance('38s');
    // The older one is about to take over, and freezes; a newer one comes.
    const bind = vi.spyOn(engine, 'bind');
    let thaw = (): void => undefined;
    bind.mockImplementationOnce(async (owner, value) => {
      await new Promise<void>((resolve) => (thaw = resolve));
      return engine.bind(owner, value);
    });
    const late = old.keepUp();
    await clock.advance(0);
    await started('a.new');
    thaw();
    await late;
    expect(bind.mock.calls).toHaveLength(3);
    expect(await inForce()).toEqual(['a.new']);
  });
});

describe('a store that one process has alone', () => {
  it('goes by whatever starts, and is not looked after', async () => {
    engine = new MemoryEngine(resolveOptions({ url: 'memory:' }), clock);
    await started('a.old');
    await started('a.new');
    await started('a.old');
    expect(await inForce()).toEqual(['a.old']);
    expect((await engine.releases('log')).releases).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
