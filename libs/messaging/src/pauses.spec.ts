import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import { Happenings } from './happenings.js';
import { OptionError } from './messaging.errors.js';
import { resolveOptions } from './messaging.options.js';
import { Pauses, type Pause } from './pauses.js';
import { Signals } from './signals.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';

/** As a store that may lose signals: it has queues. */
class Shared extends MemoryEngine {
  queue = () => ({});
}

let clock: VirtualClock;
let engine: MemoryEngine;
let pauses: Pauses;
/** What a watch told. */
let seen: string[][];
let failures: string[];

const changed = async (paused: ReadonlyMap<string, Pause>): Promise<void> =>
  void seen.push([...paused].map(([name, { reason }]) => `${name}: ${reason}`));
const failed = (error: Error): void => void failures.push(error.message);

beforeEach(() => {
  clock = new VirtualClock();
  engine = new MemoryEngine(resolveOptions({ url: 'memory:' }), clock);
  pauses = new Pauses(engine, clock, new Happenings(engine, clock, new Signals(engine)));
  seen = [];
  failures = [];
  return () => engine.close();
});

describe('a pause', () => {
  it('has its beginning and its last reason', async () => {
    const since = new Date(clock.now()).toISOString();
    expect(await pauses.pause('bank', 'one')).toEqual({ since, reason: 'one' });
    await clock.advance('1m');
    expect(await pauses.pause('bank', 'two')).toEqual({ since, reason: 'two' });
    expect(await pauses.get('bank')).toEqual({ since, reason: 'two' });
    expect(await pauses.get('mail')).toBeUndefined();
    expect([...(await pauses.all()).keys()]).toEqual(['bank']);
  });

  it.each([undefined, '', 5, 'x'.repeat(501), 'a\0'])(
    'has a reason, and not %j',
    async (reason) => {
      await expect(pauses.pause('bank', reason as string)).rejects.toThrow(
        new OptionError('reason', 'must be text of 1 to 500 characters'),
      );
      expect(await pauses.get('bank')).toBeUndefined();
    },
  );

  it.each(['', 'a b', 'a:b', undefined])('is of an actor, and not of %j', async (name) => {
    const error = new OptionError('actor', 'must be the name of an actor');
    await expect(pauses.pause(name as string, 'x')).rejects.toThrow(error);
    await expect(pauses.resume(name as string)).rejects.toThrow(error);
  });

  it('that somebody else has written otherwise is one all the same', async () => {
    await engine.bind('pause:bank', 5);
    expect(await pauses.get('bank')).toEqual({
      since: '1970-01-01T00:00:00.000Z',
      reason: 'unknown',
    });
  });
});

describe('a watch', () => {
  it('tells what is paused at first and after each change, until it ends', async () => {
    await pauses.pause('bank', 'one');
    const end = await pauses.watch(changed, failed);
    expect(seen).toEqual([['bank: one']]);
    await pauses.pause('mail', 'two');
    await loopTurn();
    await pauses.resume('bank');
    await loopTurn();
    expect(seen.slice(1)).toEqual([['bank: one', 'mail: two'], ['mail: two']]);
    end();
    await pauses.resume('mail');
    await loopTurn();
    expect(seen).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  it('looks by itself where a signal may be lost, and not when nothing has changed', async () => {
    engine = new Shared(resolveOptions({ url: 'memory:' }), clock);
    pauses = new Pauses(engine, clock, new Happenings(engine, clock, new Signals(engine)));
    const end = await pauses.watch(changed, failed);
    await clock.advance('1m');
    expect(seen).toEqual([[]]);
    await engine.bind('pause:bank', { since: new Date(0).toISOString(), reason: 'silent' });
    await clock.advance('10s');
    expect(seen).toEqual([[], ['bank: silent']]);
    end();
    expect(clock.pending).toBe(0);
  });

  it('tells again what could not be done, and goes on', async () => {
    engine = new Shared(resolveOptions({ url: 'memory:' }), clock);
    pauses = new Pauses(engine, clock, new Happenings(engine, clock, new Signals(engine)));
    let isBroken = false;
    const end = await pauses.watch(async (paused) => {
      if (isBroken) throw new Error('no store');
      await changed(paused);
    }, failed);
    isBroken = true;
    await pauses.pause('bank', 'x');
    await loopTurn();
    expect([seen, failures]).toEqual([[[]], ['no store']]);
    isBroken = false;
    await clock.advance('10s');
    expect(seen).toEqual([[], ['bank: x']]);
    end();
  });

  it('that fails at first has not begun', async () => {
    engine = new Shared(resolveOptions({ url: 'memory:' }), clock);
    pauses = new Pauses(engine, clock, new Happenings(engine, clock, new Signals(engine)));
    const broken = pauses.watch(() => Promise.reject(new Error('no store')), failed);
    await expect(broken).rejects.toThrow('no store');
    await pauses.pause('bank', 'x');
    await clock.advance('1m');
    expect([failures, clock.pending]).toEqual([[], 0]);
  });
});
