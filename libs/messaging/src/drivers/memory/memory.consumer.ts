import { setImmediate } from 'node:timers';
import type { Clock } from '../../clock.js';
import type { Consumer, Delivery, Outcome, Signal, TurnFunction } from '../../engine.js';
import { StoppingError } from '../../messaging.errors.js';
import { URGENT } from '../../priority.js';
import type { Entry, Work } from './memory.entry.js';

/** A place around the commit of a turn. */
export type CommitStep = 'commit' | 'committed';

/** Where a consumer's messages come from and go back to. */
export interface Office {
  /** There may be room for another turn. */
  stir(): void;
  /** Whether it counts: not when the work was lost meanwhile. @throws what is refused; then nothing changed */
  commit(work: Work, outcome: Outcome): boolean;
  /** Tells what a committed turn leaves to be told. */
  tell(signals: readonly Signal[]): void;
  /** A turn is about to be committed, or just was; what it returns is awaited. */
  pass(step: CommitStep, delivery: Delivery): Promise<void> | undefined;
}

/** How long a turn that ignores its signal is waited for after the grace, ms. */
const PATIENCE = 2_500;

/** How soon a message is given out again whose end could not be stored, ms. */
const AGAIN = 1_000;

/** Runs turns, at most so many at the same time, and lets the running ones end when it stops. */
export class MemoryConsumer implements Consumer {
  private readonly running = new Set<Work>();
  private isStopped = false;
  private onIdle = (): void => undefined;

  constructor(
    private most: number,
    /** How many of them are for urgent messages. */
    private readonly reserved: number,
    private readonly turn: TurnFunction,
    private readonly clock: Clock,
    private readonly office: Office,
  ) {}

  hasRoom(entry: Entry): boolean {
    if (this.isStopped || this.running.size >= this.most) return false;
    if (this.reserved === 0 || isUrgent(entry)) return true;
    const others = [...this.running].filter((work) => !isUrgent(work.entry));
    // One that is limited to few turns for a while still has one for any message.
    return others.length < Math.max(1, this.most - this.reserved);
  }

  /** How many turns run. */
  get working(): number {
    return this.running.size;
  }

  get works(): Iterable<Work> {
    return this.running;
  }

  start(work: Work): void {
    this.running.add(work);
    void this.run(work);
  }

  limit(concurrency: number): void {
    this.most = concurrency;
    this.office.stir();
  }

  async stop(grace: number): Promise<void> {
    this.isStopped = true;
    if (this.running.size === 0) return;
    const cancels = [
      this.clock.after(grace, () => {
        for (const { delivery } of this.running) delivery.stop.abort(new StoppingError());
      }),
    ];
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      // A turn that ignores its signal is left behind.
      cancels.push(this.clock.after(grace + PATIENCE, resolve));
    });
    for (const cancel of cancels) cancel();
  }

  /** Drops its turns, as if their process had died. Answers them. */
  abandon(): Work[] {
    const works = [...this.running];
    this.running.clear();
    this.onIdle();
    return works;
  }

  private async run(work: Work): Promise<void> {
    // Leaves the sender's call stack: its send resolves before the turn starts.
    await new Promise((resolve) => setImmediate(resolve));
    let outcome = await this.turn(work.delivery);
    await this.office.pass('commit', work.delivery);
    let counts: boolean;
    for (;;) {
      try {
        counts = this.office.commit(work, outcome);
        break;
      } catch (error) {
        outcome = await insteadOf(outcome, error as Error);
      }
    }
    await this.office.pass('committed', work.delivery);
    if (counts && outcome.kind === 'done') this.office.tell(outcome.effects?.signals ?? []);
    this.running.delete(work);
    if (this.running.size === 0) this.onIdle();
    this.office.stir();
  }
}

function isUrgent({ rank }: Entry): boolean {
  return rank <= URGENT;
}

/** What to commit when the outcome was refused. */
async function insteadOf(outcome: Outcome, error: Error): Promise<Outcome> {
  const again: Outcome = { kind: 'release', delay: AGAIN };
  return outcome.kind === 'done' ? ((await outcome.refused?.(error)) ?? again) : again;
}
