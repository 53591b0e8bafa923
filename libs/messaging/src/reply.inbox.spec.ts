import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEngine } from './drivers/memory/memory.engine.js';
import type { Consumer, Outcome } from './engine.js';
import type { Envelope } from './envelope.js';
import {
  AskFailedError,
  AskTimeoutError,
  CancelledError,
  StoppingError,
} from './messaging.errors.js';
import { resolveOptions } from './messaging.options.js';
import { ReplyInbox, type Awaited } from './reply.inbox.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';

/** The memory engine: notices can be lost, looks counted and made to fail, inboxes refused. */
class Watched extends MemoryEngine {
  isDeaf = false;
  refusals = 0;
  failures = 0;
  listeners = 0;
  looks: number[] = [];

  override async listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    if (this.refusals-- > 0) throw new Error('no inbox');
    const stop = await super.listen(inbox, (id) => void (this.isDeaf || ended(id)));
    this.listeners++;
    return async () => {
      this.listeners--;
      await stop();
    };
  }

  override async find(id: string, actors: readonly string[]) {
    this.looks.push(this.clock.now());
    if (this.failures-- > 0) throw new Error('away');
    return super.find(id, actors);
  }
}

let clock: VirtualClock;
let engine: Watched;
let inbox: ReplyInbox;
let consumer: Consumer;
/** Ends the turn that runs. */
let finish: (outcome: Outcome) => void;
let began: number;

const DONE: Outcome = { kind: 'done', effects: { sends: [], reply: { data: 42 } } };

beforeEach(async () => {
  clock = new VirtualClock();
  began = clock.now();
  engine = new Watched(resolveOptions({ url: 'memory:' }), clock);
  inbox = new ReplyInbox(engine, clock);
  consumer = await engine.consume(
    'bank',
    { concurrency: 5 },
    () => new Promise((resolve) => (finish = resolve)),
  );
  return async () => {
    await inbox.onModuleDestroy();
    await engine.close();
  };
});

function question(id = 'q-1', replyTo?: string): Envelope {
  return {
    id,
    type: 'bank.pay',
    version: 1,
    actor: 'bank',
    data: {},
    priority: 100,
    sentAt: clock.now(),
    headers: {},
    fingerprint: 'f',
    ...(replyTo !== undefined && { replyTo }),
  };
}

function ask(more: Partial<Awaited> = {}) {
  const awaited = { id: 'q-1', actor: 'bank', timeout: 10_000, ...more };
  const asked = inbox.ended(awaited, (replyTo) => engine.send([question(awaited.id, replyTo)]));
  // Some tests look at it only when it has rejected.
  asked.catch(() => undefined);
  return asked;
}

/** Everything under way comes to rest; no time passes. */
async function settle(): Promise<void> {
  for (let n = 0; n < 10; n++) await loopTurn();
}

/** Nothing of an ask is left. */
function expectNothingLeft(): void {
  expect(clock.pending).toBe(0);
  expect((inbox as unknown as { waiting: Map<string, unknown> }).waiting.size).toBe(0);
}

describe('whoever asks', () => {
  it('is told at once, and reads the reply in the record', async () => {
    const asked = ask();
    await settle();
    finish(DONE);
    await settle();
    expect(await asked).toMatchObject({ state: 'done', reply: { data: 42 } });
    expect(clock.now()).toBe(began);
    expectNothingLeft();
  });

  it('gets the end of the message that had this id before, looking at once', async () => {
    const first = ask();
    await settle();
    finish(DONE);
    await first;
    engine.isDeaf = true;
    expect(await ask()).toMatchObject({ reply: { data: 42 } });
    expect(clock.now()).toBe(began);
  });

  it('is one of several who ask the same id', async () => {
    const [one, two] = [ask(), ask({ timeout: 1_000 })];
    await settle();
    await clock.advance('1s', settle);
    await expect(two).rejects.toThrow(AskTimeoutError);
    const three = ask();
    await settle();
    finish(DONE);
    await settle();
    expect(await one).toMatchObject({ reply: { data: 42 } });
    expect(await three).toMatchObject({ reply: { data: 42 } });
    expectNothingLeft();
  });

  it('is not woken by the end of another message', async () => {
    const asked = ask({ timeout: 1_000 });
    await engine.send([{ ...question('other'), replyTo: await inbox.open() }]);
    await settle();
    finish(DONE);
    await clock.advance('1s', settle);
    await expect(asked).rejects.toThrow(AskTimeoutError);
  });
});

describe('a notice that is lost', () => {
  it('is made up for by looking, less and less often', async () => {
    engine.isDeaf = true;
    const asked = ask({ timeout: 60_000 });
    await clock.advance('6s', settle);
    expect(engine.looks.map((at) => at - began)).toEqual([0, 250, 750, 1_750, 3_750, 5_750]);
    finish(DONE);
    await clock.advance('2s', settle);
    expect(await asked).toMatchObject({ reply: { data: 42 } });
    expectNothingLeft();
  });

  it('does not cost the last moment: one look is at the end of the timeout', async () => {
    engine.isDeaf = true;
    const asked = ask({ timeout: 1_000 });
    await clock.advance(999, settle);
    finish(DONE);
    await clock.advance(1, settle);
    expect(await asked).toMatchObject({ reply: { data: 42 } });
  });
});

describe('an ask that ends badly', () => {
  it('says that its time is up', async () => {
    const asked = ask({ timeout: 1_000 });
    await clock.advance(999, settle);
    expect(engine.looks.at(-1)! - began).toBeLessThan(1_000);
    await clock.advance(1, settle);
    await expect(asked).rejects.toMatchObject({ code: 'ask_timeout', id: 'q-1', timeout: 1_000 });
    expectNothingLeft();
  });

  it('says what its message died of', async () => {
    const asked = ask();
    await settle();
    const error = { name: 'BankError', message: 'closed', code: 'E_CLOSED', stack: 'at ...' };
    const attempt = { attempt: 1, startedAt: 1, finishedAt: 2, error };
    finish({ kind: 'dead', reason: 'rejected', attempt });
    await settle();
    await expect(asked).rejects.toThrow(AskFailedError);
    await expect(asked).rejects.toMatchObject({
      id: 'q-1',
      reason: 'rejected',
      message: 'closed',
      error: { name: 'BankError', message: 'closed', code: 'E_CLOSED' },
    });
    const failure = (await asked.catch((thrown: unknown) => thrown)) as AskFailedError;
    expect(failure.error).not.toHaveProperty('stack');
    expectNothingLeft();
  });

  it('says that its message was cancelled', async () => {
    consumer.limit(0);
    const asked = ask();
    await settle();
    await engine.cancel('q-1', ['bank']);
    await settle();
    await expect(asked).rejects.toThrow(CancelledError);
    expectNothingLeft();
  });

  it('passes on what the send rejects with', async () => {
    const asked = inbox.ended({ id: 'q-1', actor: 'bank', timeout: 1_000 }, () =>
      Promise.reject(new Error('not stored')),
    );
    await expect(asked).rejects.toThrow('not stored');
    expect(engine.looks).toEqual([]);
    expectNothingLeft();
  });

  it('goes on when a look fails: the store may be back in time', async () => {
    engine.failures = 2;
    const asked = ask();
    await clock.advance(250, settle);
    finish(DONE);
    await settle();
    expect(await asked).toMatchObject({ reply: { data: 42 } });
    expectNothingLeft();
  });
});

describe('a signal', () => {
  it('ends the waiting with its reason, and leaves the message alone', async () => {
    const stop = new AbortController();
    const asked = ask({ signal: stop.signal });
    await settle();
    stop.abort(new Error('user left'));
    await expect(asked).rejects.toThrow('user left');
    expectNothingLeft();
    expect(await engine.find('q-1', ['bank'])).toMatchObject({ state: 'active' });
  });

  it('that aborted before keeps the message from being sent', async () => {
    const asked = ask({ signal: AbortSignal.abort(new Error('user left')) });
    await expect(asked).rejects.toThrow('user left');
    expect(await engine.find('q-1', ['bank'])).toBeUndefined();
  });

  it('that lives long is not listened to for longer than the ask', async () => {
    const stop = new AbortController();
    const { signal } = stop;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners++;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners--;
      remove(...given);
    };
    const asked = ask({ signal });
    await settle();
    expect(listeners).toBeGreaterThan(0);
    finish(DONE);
    await settle();
    await asked;
    expect(listeners).toBe(0);
  });
});

describe('the inbox', () => {
  it('is opened at the first ask, once', async () => {
    expect(engine.listeners).toBe(0);
    const names = await Promise.all([inbox.open(), inbox.open()]);
    expect(engine.listeners).toBe(1);
    expect(new Set(names).size).toBe(1);
    expect(await new ReplyInbox(engine, clock).open()).not.toBe(names[0]);
  });

  it('that could not be opened is tried again', async () => {
    engine.refusals = 1;
    const both = [inbox.open(), inbox.open()];
    await expect(both[0]).rejects.toThrow('no inbox');
    await expect(both[1]).rejects.toThrow('no inbox');
    await inbox.open();
    expect(engine.listeners).toBe(1);
  });

  it('ends all that wait when the application closes, and listens no more', async () => {
    const asked = [ask(), ask({ id: 'q-2' })];
    await settle();
    await inbox.onModuleDestroy();
    for (const each of asked) await expect(each).rejects.toThrow(StoppingError);
    expect(engine.listeners).toBe(0);
    expectNothingLeft();
  });

  it('takes no ask after that, sends nothing and does not open again', async () => {
    await inbox.onModuleDestroy();
    await expect(ask()).rejects.toThrow(StoppingError);
    await expect(inbox.open()).rejects.toThrow(StoppingError);
    expect(engine.listeners).toBe(0);
    expect(await engine.find('q-1', ['bank'])).toBeUndefined();
  });

  it('that was never opened, or could not be, closes quietly', async () => {
    await new ReplyInbox(engine, clock).onModuleDestroy();
    engine.refusals = 1;
    const broken = new ReplyInbox(engine, clock);
    const opened = broken.open();
    await broken.onModuleDestroy();
    await expect(opened).rejects.toThrow('no inbox');
  });
});
