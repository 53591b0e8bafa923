import type { Delivery } from '../engine.js';
import { CRASH_BUDGET } from '../suspects.js';
import type { Direction, Floor, TurnStep } from './direction.js';
import type { Entry } from '../drivers/memory/memory.entry.js';
import { seededRandom } from './seeded.random.js';

/** Where processes die: at no step, before and after commits, or at every step. */
export type CrashPlan = false | 'around-commit' | 'everywhere';

/** A turn that has come to a step and waits until it is its turn to go on. */
interface Held {
  step: TurnStep;
  goOn(): void;
}

/** How often, of the steps where it may, a process dies. */
const DEATHS = 0.12;
/** How often the next thing is done at the same instant, so that turns run into each other between two steps. */
const TOGETHER = 0.3;
/** How often turns that are not at a step are given time before anything else is done. */
const PATIENCE = 0.2;

/** Does one of the things that could happen next, by chance: a message starts, a turn goes on, the process dies. */
export class ExploredDirection implements Direction {
  /** What happened, in words; the same for the same seed. */
  readonly trace: string[] = [];
  private readonly held = new Map<Delivery, Held>();
  private readonly random: () => number;

  constructor(
    seed: number,
    private readonly plan: CrashPlan,
    private readonly mostCrashes = CRASH_BUDGET - 1,
  ) {
    this.random = seededRandom(seed);
  }

  pass(step: TurnStep, delivery: Delivery): Promise<void> {
    return new Promise((goOn) => this.held.set(delivery, { step, goOn }));
  }

  act(floor: Floor): boolean {
    let hasActed = false;
    do {
      const ready = floor.startable();
      const held = [...this.held];
      // Chance is asked only where there is a choice: how long a turn waits for something outside must not matter.
      if (ready.length + held.length === 0) return hasActed;
      const hasLoose = floor.working > held.length;
      if (hasLoose && this.random() < PATIENCE) return hasActed;
      const choice = Math.floor(this.random() * (ready.length + held.length));
      const entry = ready[choice];
      if (entry) this.start(floor, entry);
      else this.goOn(floor, ...held[choice - ready.length]!);
      hasActed = true;
    } while (this.random() < TOGETHER);
    return hasActed;
  }

  private start(floor: Floor, entry: Entry): void {
    this.trace.push(`${floor.label(entry.envelope)} starts`);
    floor.start(entry);
  }

  private goOn(floor: Floor, delivery: Delivery, held: Held): void {
    const { step } = held;
    const label = floor.label(delivery.envelope);
    if (this.mayDie(step, floor) && this.random() < DEATHS) {
      const lost = floor.works().map(({ entry }) => floor.label(entry.envelope));
      this.trace.push(`the process dies: ${label} ${AT[step]}; in work: ${lost.join(', ')}`);
      floor.crash((each) => this.held.has(each));
      this.held.clear();
      return;
    }
    this.trace.push(`${label} ${AT[step]}`);
    this.held.delete(delivery);
    held.goOn();
  }

  private mayDie(step: TurnStep, floor: Floor): boolean {
    if (this.plan === false) return false;
    if (this.plan === 'around-commit' && step !== 'commit' && step !== 'committed') return false;
    return floor.works().every(({ entry }) => entry.crashes < this.mostCrashes);
  }
}

const AT: Record<TurnStep, string> = {
  start: 'enters its handler',
  send: 'has sent',
  handled: 'has left its handler',
  commit: 'is about to commit',
  committed: 'has committed',
};
