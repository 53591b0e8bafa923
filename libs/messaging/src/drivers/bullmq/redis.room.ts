import { ReplyError } from 'ioredis';
import { StoreFullError } from '../../messaging.errors.js';
import type { Client } from './redis.client.js';
import { NOTHING } from './redis.keys.js';

/** How often at most a server is asked how full it is, ms. */
const EVERY = 1_000;
/** What part of its memory sends may fill. Turns need the rest to end, and with that make room. */
const MOST = 0.8;

/** What the server says of its memory. */
const MEMORY = `return redis.call('INFO', 'memory')`;

/** Whether a server has room for more messages. One without `maxmemory` always has. */
export class RedisRoom {
  private askedAt = -Infinity;
  private asking?: Promise<void>;
  private problem?: string;

  constructor(private readonly client: () => Client) {}

  /** @throws StoreFullError, and what the client rejects with */
  async require(): Promise<void> {
    if (performance.now() - this.askedAt >= EVERY) {
      this.asking ??= this.ask().finally(() => (this.asking = undefined));
      await this.asking;
    }
    if (this.problem !== undefined) throw new StoreFullError(this.problem);
  }

  private async ask(): Promise<void> {
    // By a key, so that of a cluster the server answers that has ours. One that may not be asked is taken to have room.
    const text = String(
      await this.client()
        .eval(MEMORY, 1, NOTHING)
        .catch((error: unknown) => {
          if (error instanceof ReplyError) return '';
          throw error;
        }),
    );
    const [used, max] = [numberIn(text, 'used_memory'), numberIn(text, 'maxmemory')];
    this.askedAt = performance.now();
    this.problem =
      used > max * MOST && max > 0
        ? `Redis is ${Math.round((used / max) * 100)} % full (maxmemory ${max} bytes): sends are refused over ${MOST * 100} %, so that workers can make room; send again later, keep less (keepDone, keepDead), or raise maxmemory`
        : undefined;
  }
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
