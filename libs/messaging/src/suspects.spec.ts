import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { clock, envelope, named, open, settled } from '../../../test/support/memory.hand.js';
import { testDelivery } from '../../../test/support/test.delivery.js';
import type { Clock } from './clock.js';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import type { Delivery, Outcome, Trial, TurnFunction } from './engine.js';
import { unobserved } from './observer.js';
import { Suspects } from './suspects.js';
import { turnRunner, type Handler } from './turn.runner.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

const DONE: Outcome = { kind: 'done' };

/** The suspects of a process on a clock of its own, which can be set. */
class Process {
  now = 1_000_000;
  readonly begun: string[] = [];
  readonly noted: [string, Trial][] = [];
  private readonly ends = new Map<string, () => void>();
  private readonly suspects = new Suspects({ now: () => this.now } as Clock);

  /** @returns what came of the message at once; undefined while its turn runs, until `end` */
  async give(name: string, crashes: number, more: Partial<Delivery> = {}) {
    const noteTrial = async (trial: Trial): Promise<void> => {
      this.noted.push([name, trial]);
    };
    const delivery = testDelivery({ crashes, noteTrial, ...more }, { id: name });
    const given = this.suspects.turn(delivery, () => {
      this.begun.push(name);
      return new Promise<Outcome>((resolve) => this.ends.set(name, () => resolve(DONE)));
    });
    return Promise.race([given, settled().then(() => undefined)]);
  }

  async end(name: string): Promise<void> {
    this.ends.get(name)!();
    await settled();
  }
}

describe('messages that were in work when their process died', () => {
  it('are begun one at a time from the second time on, the others come again one after another', async () => {
    const process = new Process();
    for (const name of ['a', 'b', 'c']) await process.give(name, 1);
    await process.give('first', 2);
    expect(await process.give('second', 2)).toEqual({ kind: 'release', delay: 100 });
    expect(await process.give('third', 2)).toEqual({ kind: 'release', delay: 200 });
    await process.give('d', 0);
    expect(process.begun).toEqual(['a', 'b', 'c', 'first', 'd']);

    process.now += 100;
    expect(await process.give('second', 2)).toEqual({ kind: 'release', delay: 200 });
    await process.end('first');
    await process.give('third', 2);
    expect(await process.give('second', 2)).toEqual({ kind: 'release', delay: 300 });
    expect(process.begun.slice(5)).toEqual(['third']);
  });

  it('get others beside them when their turns take long', async () => {
    const process = new Process();
    await process.give('long', 2);
    process.now += 9_999;
    expect(await process.give('next', 2)).toMatchObject({ kind: 'release' });
    process.now += 1;
    await process.give('next', 2);
    await process.end('long');
    // The end of the one before does not make room: another is in its first seconds.
    expect(await process.give('last', 2)).toMatchObject({ kind: 'release' });
    expect(process.begun).toEqual(['long', 'next']);
  });

  it('come later in a process that has just begun the more trials ended with a death', async () => {
    const process = new Process();
    const once = { trial: { crashes: 2, deaths: 0 } };
    const thrice = { trial: { crashes: 7, deaths: 2 } };
    expect(await process.give('once', 3, once)).toMatchObject({ kind: 'release' });
    expect(await process.give('thrice', 8, thrice)).toMatchObject({ kind: 'release' });
    process.now += 2_000;
    expect(await process.give('thrice', 8, thrice)).toMatchObject({ kind: 'release' });
    await process.give('once', 3, once);
    await process.end('once');
    process.now += 4_000;
    await process.give('thrice', 8, thrice);
    expect(process.begun).toEqual(['once', 'thrice']);
    expect(process.noted).toEqual([
      ['once', { crashes: 3, deaths: 1 }],
      ['thrice', { crashes: 8, deaths: 3 }],
    ]);
  });

  it('wait, in the first minute of a process, until it has seen no new one for a while', async () => {
    const process = new Process();
    const once = { trial: { crashes: 2, deaths: 0 } };
    for (const name of ['a', 'b', 'c']) {
      // A store that is slow gives them out one by one.
      process.now += 1_500;
      expect(await process.give(name, 3, once)).toMatchObject({ kind: 'release' });
    }
    // One that begins, and comes again, is not new.
    for (let again = 0; again < 2; again++) {
      await process.give('c', 2);
      await process.end('c');
      process.now += again === 0 ? 1_999 : 1;
    }
    expect(process.begun.splice(0)).toEqual(['c', 'c']);
    await process.give('b', 3, once);
    await process.end('b');
    process.now += 53_500;
    await process.give('new', 3, once);
    expect(process.begun).toEqual(['b', 'new']);
  });

  it('let those go first that died in fewer trials, until they are not expected any more', async () => {
    const process = new Process();
    const once = { trial: { crashes: 2, deaths: 0 } };
    await process.give('running', 2);
    await process.give('first', 2);
    await process.give('once', 3, once);
    await process.end('running');
    process.now += 19_999;
    expect(await process.give('once', 3, once)).toMatchObject({ kind: 'release' });
    await process.give('first', 2);
    await process.end('first');
    await process.give('once', 3, once);
    expect(process.begun).toEqual(['running', 'first', 'once']);
    await process.end('once');

    await process.give('running', 2);
    await process.give('gone', 2);
    await process.end('running');
    process.now += 17_000;
    expect(await process.give('once', 3, once)).toMatchObject({ kind: 'release' });
    process.now += 3_000;
    await process.give('once', 3, once);
    expect(process.begun.slice(3)).toEqual(['running', 'once']);
  });

  it('count only crashes that followed a trial', async () => {
    const process = new Process();
    await process.give('never', 40);
    await process.end('never');
    await process.give('ended otherwise', 40, { trial: { crashes: 40, deaths: 3 } });
    process.now += 6_000;
    await process.give('ended otherwise', 40, { trial: { crashes: 40, deaths: 3 } });
    expect(process.noted).toEqual([
      ['never', { crashes: 40, deaths: 0 }],
      ['ended otherwise', { crashes: 40, deaths: 3 }],
    ]);
    expect(process.begun).toEqual(['never', 'ended otherwise']);
  });

  it('count no crash after a trial that they survived', async () => {
    const process = new Process();
    const trial = { crashes: 40, deaths: 3, hasSurvived: true };
    await process.give('survived', 41, { trial });
    process.now += 6_000;
    await process.give('survived', 41, { trial });
    expect(process.begun).toEqual(['survived']);
    expect(process.noted).toEqual([['survived', { crashes: 41, deaths: 3 }]]);
  });

  it('are counted in a warning once a minute while they wait', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn');
    onTestFinished(() => warn.mockRestore());
    const process = new Process();
    for (const name of ['first', 'second', 'third']) await process.give(name, 2);
    process.now += 999;
    await process.give('second', 2);
    expect(warn.mock.calls).toEqual([]);
    process.now += 1;
    await process.give('third', 2);
    const told = [
      ['2 messages that were there when a process died wait for their trial'],
      ['1 message that was there when a process died waits for its trial'],
    ];
    expect(warn.mock.calls).toEqual([told[0]]);
    process.now += 59_000;
    await process.give('second', 2);
    await process.give('third', 2);
    process.now += 999;
    await process.give('third', 2);
    expect(warn.mock.calls).toEqual([told[0]]);
    process.now += 1;
    await process.give('third', 2);
    expect(warn.mock.calls).toEqual(told);
  });

  it('are not begun when the trial cannot be noted, and make room for others', async () => {
    const process = new Process();
    const noteTrial = () => Promise.reject(new Error('the store is away'));
    expect(await process.give('unnoted', 2, { noteTrial })).toEqual({
      kind: 'release',
      delay: 100,
    });
    await process.give('next', 2);
    expect(process.begun).toEqual(['next']);
  });

  it('wait ten seconds at most, however many they are', async () => {
    const process = new Process();
    await process.give('first', 2);
    const waits = [];
    for (let n = 0; n < 150; n++) waits.push(await process.give(`${n}`, 2));
    expect(waits.at(-1)).toEqual({ kind: 'release', delay: 10_000 });
  });

  it('do not wait for a clock that was set back', async () => {
    const process = new Process();
    await process.give('first', 2);
    await process.give('second', 2);
    process.now -= 3_600_000;
    await process.give('second', 5, { trial: { crashes: 4, deaths: 2 } });
    expect(process.begun).toEqual(['first', 'second']);
    expect(await process.give('third', 2)).toEqual({ kind: 'release', delay: 100 });
  });

  it('are let through to be given up', async () => {
    const process = new Process();
    await process.give('first', 2);
    await process.give('guilty', 6, { trial: { crashes: 5, deaths: 3 } });
    expect(process.begun).toEqual(['first', 'guilty']);
  });
});

class Dying extends MemoryEngine {
  die(): void {
    this.messages.loseAll(this.messages.queue('shop').abandon());
  }
}

/** An actor on the memory store whose process is killed, and begun anew on the spot. */
class Stage {
  deaths = 0;
  /** Messages in work. */
  working = new Set<string>();
  readonly engine = open({}, Dying);
  private run!: TurnFunction;

  constructor(private readonly work: (name: string) => Promise<void>) {
    this.begin();
  }

  async start(names: readonly string[]): Promise<void> {
    await this.engine.send(names.map((name) => named(name)));
    await this.engine.consume('shop', { concurrency: 50 }, (delivery) => this.run(delivery));
    await settled();
  }

  async kill(): Promise<void> {
    this.deaths++;
    this.working = new Set();
    this.begin();
    this.engine.die();
    await settled();
  }

  /** Lets time pass until that is so. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let step = 0; step < 1_000; step++) {
      if (await isSo()) return;
      await clock.advance(100);
    }
    throw new Error('it never came');
  }

  async lettersOf(): Promise<string[]> {
    const letters = await this.engine.deadLetters(['shop'], { limit: 100 });
    return letters.map(({ envelope: { id }, reason }) => `${id}: ${reason}`);
  }

  private begin(): void {
    const handler: Handler = {
      kind: 'handle',
      message: undefined,
      run: async (message) => {
        const { name } = message as { name: string };
        const { working } = this;
        working.add(name);
        await this.work(name);
        working.delete(name);
      },
    };
    this.run = turnRunner({
      handlers: new Map([[envelope('any').type, handler]]),
      retry: {},
      supervision: [],
      clock,
      random: () => 0.5,
      observer: unobserved,
      suspects: new Suspects(clock),
    });
  }
}

const NAMES = Array.from({ length: 50 }, (_, n) => `innocent-${n}`);
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve);
  });

describe('a process that dies again and again', () => {
  it('takes nobody with it for good: fifty messages that can never end survive a hundred and fifty kills', async () => {
    let isOver = false;
    const stage = new Stage(() => (isOver ? Promise.resolve() : new Promise(() => undefined)));
    await stage.start(NAMES);
    expect(stage.working.size).toBe(50);
    for (let kill = 0; kill < 150; kill++) {
      await stage.until(() => stage.working.size > 0);
      await stage.kill();
    }
    expect(await stage.lettersOf()).toEqual([]);
    isOver = true;
    await stage.kill();
    await stage.until(async () => (await stage.engine.counts('shop')).done === 50);
    expect(await stage.lettersOf()).toEqual([]);
  });

  it('gives up an innocent that is itself on trial at four of the deaths', async () => {
    const stage = new Stage(() => new Promise(() => undefined));
    await stage.start(['alone']);
    for (let kill = 0; kill < 6; kill++) {
      await stage.until(() => stage.working.size > 0);
      await stage.kill();
    }
    await stage.until(async () => (await stage.engine.counts('shop')).dead === 1);
    expect(await stage.lettersOf()).toEqual(['alone: crashed']);
  });

  it('is freed of those that kill it, at six deaths each, and of nobody else', async () => {
    const poisons = ['poison-1', 'poison-2'];
    const stage = new Stage(async (name) => {
      await pause(200);
      if (!poisons.includes(name) || !stage.working.has(name)) return;
      await stage.kill();
      await new Promise(() => undefined);
    });
    await stage.start([...poisons, ...NAMES]);
    await stage.until(async () => {
      const { done, dead } = await stage.engine.counts('shop');
      return done + dead === 52;
    });
    expect((await stage.lettersOf()).sort()).toEqual(['poison-1: crashed', 'poison-2: crashed']);
    // Both have killed the process together at most twice.
    expect(stage.deaths).toBeLessThanOrEqual(12);
    expect(stage.deaths).toBeGreaterThanOrEqual(10);
  });
});
