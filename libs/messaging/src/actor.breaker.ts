import { Logger } from '@nestjs/common';
import type { Clock } from './clock.js';
import type { Consumer } from './engine.js';

/** How long an actor pauses: the first time, and at most. */
export interface PausePolicy {
  for: number;
  max: number;
}

/**
 * Pauses an actor in this process: after an error that says so it takes nothing for a while, then one message as a probe.
 * If that one pauses it again, the wait doubles; anything else, and it goes on as before.
 */
export class ActorBreaker {
  private readonly logger = new Logger('Callsheet');
  private state: 'closed' | 'open' | 'half-open' = 'closed';
  private wait: number;
  /** Counts the probes: a turn that began before this one tells nothing of how things are now. */
  private probe = 0;
  private consumer?: Consumer;
  private cancelTimer?: () => void;
  private isStopped = false;

  constructor(
    private readonly actor: string,
    private readonly policy: PausePolicy,
    private readonly concurrency: number,
    private readonly clock: Clock,
    /** Told when it begins to pause, and when the actor goes on. */
    private readonly turned: (
      to: { what: 'tripped'; ms: number } | { what: 'recovered' },
    ) => void = () => undefined,
  ) {
    this.wait = policy.for;
  }

  attach(consumer: Consumer): void {
    this.consumer = consumer;
    if (this.state === 'open') consumer.limit(0);
  }

  /** Whether the actor takes messages now. */
  get isPaused(): boolean {
    return this.state === 'open';
  }

  /** A turn begins. @returns what it hands to `pass` or `trip`: only a probe decides on a probe */
  enter(): number {
    return this.probe;
  }

  /**
   * A turn ended with an error that pauses. Others that were under way may say the same: once counts.
   *
   * @returns how long its message should stay away, ms: until another one can be the probe
   */
  trip(reason: string, probe: number = this.probe): number {
    const isOld = this.state === 'half-open' && probe !== this.probe;
    if (this.state === 'open' || isOld || this.isStopped) return this.wait;
    if (this.state === 'half-open') this.wait = Math.min(this.wait * 2, this.policy.max);
    this.state = 'open';
    this.consumer?.limit(0);
    this.logger.warn(`${this.actor}: paused for ${this.wait} ms: ${reason}`);
    this.turned({ what: 'tripped', ms: this.wait });
    this.cancelTimer = this.clock.after(this.wait, () => {
      this.state = 'half-open';
      this.probe++;
      this.consumer?.limit(1);
    });
    return this.wait;
  }

  /** A turn ended otherwise. */
  pass(probe: number = this.probe): void {
    if (this.state !== 'half-open' || probe !== this.probe || this.isStopped) return;
    this.state = 'closed';
    this.wait = this.policy.for;
    this.consumer?.limit(this.concurrency);
    this.logger.log(`${this.actor}: goes on`);
    this.turned({ what: 'recovered' });
  }

  /** From now on it leaves its consumer alone: a limit would set one that has stopped going again. */
  stop(): void {
    this.isStopped = true;
    this.cancelTimer?.();
  }
}
