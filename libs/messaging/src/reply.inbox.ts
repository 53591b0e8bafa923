import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CLOCK, type Clock } from './clock.js';
import { ENGINE, type Engine, type MessageRecord } from './engine.js';
import { generateId } from './envelope.js';
import {
  AskFailedError,
  AskTimeoutError,
  CancelledError,
  StoppingError,
} from './messaging.errors.js';

/** A message whose end somebody waits for. */
export interface Awaited {
  id: string;
  actor: string;
  /** How long to wait, ms. */
  timeout: number;
  /** Gives up waiting when it aborts; the message goes on. */
  signal?: AbortSignal;
}

/** A notice can be lost: how soon, and how often at least, to look without one, ms. */
const FIRST_LOOK = 250;
const LAST_LOOK = 2_000;
/** How much longer than the timeout the last look may take, ms. */
const AFTER_LAST_LOOK = 250;

/** There is no more time. */
class Late extends Error {}

/** Where this process learns that messages it asked have ended: one inbox, opened at the first ask. */
@Injectable()
export class ReplyInbox implements OnModuleDestroy {
  private readonly name = generateId('inbox');
  private readonly waiting = new Map<string, Set<() => void>>();
  private stop?: Promise<() => Promise<void>>;
  private isClosing = false;

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * The name to put into `replyTo`; open when it resolves.
   *
   * @throws StoppingError when the application closes
   */
  async open(): Promise<string> {
    if (this.isClosing) throw new StoppingError();
    const stop = (this.stop ??= this.engine.listen(this.name, (id) => this.notice(id)));
    try {
      await stop;
    } catch (error) {
      // The next ask tries again.
      if (this.stop === stop) this.stop = undefined;
      throw error;
    }
    return this.name;
  }

  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    for (const group of this.waiting.values()) for (const ring of group) ring();
    const stop = await this.stop?.catch(() => undefined);
    // A store that is gone must not keep the process from ending as it should.
    await stop?.().catch(() => undefined);
  }

  /**
   * Sends with `send`, then waits until the message has ended and answers its record. Neither sending nor looking is waited for
   * longer than the time there is: what is not known by then is an unknown outcome.
   *
   * @throws AskTimeoutError, AskFailedError, CancelledError, StoppingError, the reason of an aborted signal, and what `send`
   * rejects with in time
   */
  async ended(awaited: Awaited, send: (inbox: string) => Promise<void>): Promise<MessageRecord> {
    const { id, actor, timeout, signal } = awaited;
    this.requireWait(signal);
    let wake = (): void => undefined;
    const ring = (): void => wake();
    const end = this.clock.now() + timeout;
    const group = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, group.add(ring));
    signal?.addEventListener('abort', ring, { once: true });
    let trouble: unknown;
    const bounded = async <T>(work: Promise<T>): Promise<T> => {
      const late = new Late();
      const [cut, cancel] = this.cutAt(end, signal, late);
      try {
        return await Promise.race([work, cut]);
      } catch (error) {
        if (error !== late) throw error;
        this.requireWait(signal);
        throw new AskTimeoutError(id, timeout, { cause: trouble });
      } finally {
        cancel();
        work.catch(() => undefined);
      }
    };
    try {
      // Armed before the message is sent: its end may be told before the send has resolved.
      let next = new Promise<void>((resolve) => (wake = resolve));
      await bounded(this.open().then(send));
      // One that was asked before may have ended long ago.
      for (let look = 0; ; look = Math.min(Math.max(look * 2, FIRST_LOOK), LAST_LOOK)) {
        const left = end - this.clock.now();
        const cancel = this.clock.after(Math.max(0, Math.min(look, left)), ring);
        await next;
        cancel();
        next = new Promise<void>((resolve) => (wake = resolve));
        this.requireWait(signal);
        // The message is stored: a store that does not answer now may do so later.
        const record = await bounded(
          this.engine.find(id, [actor]).catch((error: unknown) => void (trouble = error)),
        );
        if (record && endedWell(record)) return record;
        if (this.clock.now() >= end) throw new AskTimeoutError(id, timeout, { cause: trouble });
      }
    } finally {
      signal?.removeEventListener('abort', ring);
      group.delete(ring);
      if (group.size === 0) this.waiting.delete(id);
    }
  }

  /** A promise that rejects with `late` at a time, or when `signal` aborts; and what ends it. */
  private cutAt(
    end: number,
    signal: AbortSignal | undefined,
    late: Late,
  ): [Promise<never>, () => void] {
    let cancel = (): void => undefined;
    const cut = new Promise<never>((_, reject) => {
      const onAbort = (): void => reject(late);
      // A little later than the last look, which is due at the end.
      const stop = this.clock.after(Math.max(0, end - this.clock.now()) + AFTER_LAST_LOOK, onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      cancel = () => {
        stop();
        signal?.removeEventListener('abort', onAbort);
      };
    });
    cut.catch(() => undefined);
    return [cut, cancel];
  }

  /** @throws StoppingError, and the reason of an aborted signal */
  private requireWait(signal: AbortSignal | undefined): void {
    if (this.isClosing) throw new StoppingError();
    signal?.throwIfAborted();
  }

  private notice(id: string): void {
    for (const ring of this.waiting.get(id) ?? []) ring();
  }
}

/** @throws AskFailedError, CancelledError when it ended badly */
function endedWell({ state, envelope, reason, history }: MessageRecord): boolean {
  if (state === 'cancelled') throw new CancelledError(envelope.id);
  if (state === 'dead') {
    const { name = 'Error', message = '', code } = history.at(-1)?.error ?? {};
    throw new AskFailedError(envelope.id, reason ?? 'rejected', {
      name,
      message,
      ...(code !== undefined && { code }),
    });
  }
  return state === 'done';
}
