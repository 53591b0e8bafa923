import { Logger } from '@nestjs/common';
import { SIGNAL_BYTES, type Engine } from './engine.js';
import type { JsonObject } from './json.js';
import { withinTime } from './within.time.js';

/** How long what is left to tell may hold up the end of the process, ms. */
const GOODBYE = 500;
/** The most that is taken of one signal. */
const MOST = 500;

const logger = new Logger('Callsheet');

/**
 * Tells by signals what one process has to tell, gathered: now and then, one after the other, and never anybody waits for it or is
 * hurt by it. What the store does not take is lost.
 */
export class Teller {
  private timer?: NodeJS.Timeout;
  private hasMore = false;

  /**
   * @param name of the signal
   * @param every how often it tells at most, ms
   * @param take what there is to tell now, told once
   */
  constructor(
    private readonly engine: Pick<Engine, 'signal'>,
    private readonly name: string,
    private readonly every: number,
    private readonly take: () => readonly JsonObject[],
  ) {}

  /** There is something to tell. */
  wake(): void {
    this.hasMore = true;
    this.timer ??= setTimeout(() => void this.tellOn(), this.every).unref();
  }

  /** Tells what there is still. Never rejects, and ends soon. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    await withinTime(GOODBYE, this.tell());
  }

  private async tellOn(): Promise<void> {
    this.hasMore = false;
    try {
      await this.tell();
    } finally {
      this.timer = undefined;
      if (this.hasMore) this.wake();
    }
  }

  private async tell(): Promise<void> {
    const { name } = this;
    const signals = this.texts().map((text) => ({ name, text }));
    try {
      if (signals.length > 0) await this.engine.signal(signals);
    } catch {
      // Who looks on sees nothing while the store is away, and knows that.
    }
  }

  private texts(): string[] {
    try {
      return textsOf(this.take());
    } catch (error) {
      logger.warn(
        `${this.name}: what is no JSON is not told, nor what was to go with it: ${String(error)}`,
      );
      return [];
    }
  }
}

/** Texts of signals that hold all of them, each as many as go into one. One that is longer than a signal is left out. */
export function textsOf(all: readonly JsonObject[]): string[] {
  const texts: string[] = [];
  let some: string[] = [];
  let bytes = 0;
  for (const each of all) {
    const text = JSON.stringify(each);
    const size = Buffer.byteLength(text) + 1;
    if (size >= SIGNAL_BYTES) continue;
    if (bytes + size >= SIGNAL_BYTES) {
      texts.push(`[${some.join()}]`);
      some = [];
      bytes = 0;
    }
    some.push(text);
    bytes += size;
  }
  return some.length > 0 ? [...texts, `[${some.join()}]`] : texts;
}

/** What a text of {@link textsOf} tells; what is none tells nothing. */
export function toldBy(text: string): JsonObject[] {
  try {
    const told: unknown = JSON.parse(text);
    if (!Array.isArray(told)) return [];
    return told.slice(0, MOST).filter((each) => typeof each === 'object' && each !== null);
  } catch {
    return [];
  }
}
