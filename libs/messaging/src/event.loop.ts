import { Logger } from '@nestjs/common';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, seconds. */
export interface Lag {
  p50: number;
  p99: number;
  max: number;
}

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

/** How often its lateness is measured, ms. */
const RESOLUTION = 10;
/** How often it is asked whether the loop stood still, ms: within the shortest lock, and no more often than makes sense. */
const MOST_BETWEEN = 1_000;
const LEAST_BETWEEN = 10;
/** How often it is warned at most, ms. */
const WARN_EVERY = 30_000;
const NANOSECONDS = 1e9;

/**
 * The event loop of this process, watched while its actors run. A loop that stands still renews no locks: when it does so for
 * as long as a lock lasts, another process takes the message over, and the handler runs twice.
 */
export class EventLoop {
  private readonly logger = new Logger('Callsheet');
  // Two, because one that was looked at is begun anew: scrapes must not hide from the warning what they have read.
  private readonly sinceAsked = monitorEventLoopDelay({ resolution: RESOLUTION });
  private readonly sinceLooked = monitorEventLoopDelay({ resolution: RESOLUTION });
  private timer: NodeJS.Timeout | undefined;
  private warnedAt = -Infinity;

  /** @param now milliseconds, of a clock that nobody sets */
  constructor(private readonly now = () => performance.now()) {}

  /**
   * Begins to watch; does not keep the process alive.
   *
   * @param lockDuration ms: it is warned when the loop stood still for longer than half of it, once in 30 s. Default: no warning
   */
  start(lockDuration = Infinity): void {
    this.stop();
    this.begin(this.sinceAsked);
    this.begin(this.sinceLooked);
    const between = Math.min(MOST_BETWEEN, Math.max(LEAST_BETWEEN, lockDuration / 4));
    this.timer = setInterval(() => this.look(lockDuration), between).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.sinceAsked.disable();
    this.sinceLooked.disable();
  }

  /** How late the loop was since this was asked last, or since the start; undefined when it is not watched. */
  lag(): Lag | undefined {
    if (!this.timer) return undefined;
    const { sinceAsked } = this;
    const lag = {
      p50: lateness(sinceAsked, sinceAsked.percentile(50)),
      p99: lateness(sinceAsked, sinceAsked.percentile(99)),
      max: lateness(sinceAsked, sinceAsked.max),
    };
    sinceAsked.reset();
    return lag;
  }

  private begin(histogram: Histogram): void {
    histogram.reset();
    histogram.enable();
  }

  private look(lockDuration: number): void {
    const stood = lateness(this.sinceLooked, this.sinceLooked.max) * 1_000;
    if (stood <= lockDuration / 2) return;
    // Only now: what happens until the next measurement after a reset is not seen.
    this.sinceLooked.reset();
    const now = this.now();
    if (now - this.warnedAt < WARN_EVERY) return;
    this.warnedAt = now;
    this.logger.warn(
      `the event loop stood still for ${Math.round(stood)} ms: a lock lasts ${lockDuration} ms; move CPU work off the loop (worker_threads, a process of its own), or raise lockDuration`,
    );
  }
}

/** What is measured is the time between two measurements. @returns seconds */
function lateness({ count }: Histogram, nanoseconds: number): number {
  return count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION / 1_000);
}
