import {
  ActivityTally,
  CLOCK,
  type ActorActivity,
  type Clock,
  type Percentiles,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { EventSettings } from './event.settings.js';

/** The most actors of a step: of more only the total is kept. */
const MOST_ACTORS = 100;

/** What happened in one step. */
export interface Figures {
  done: number;
  failed: number;
  dead: number;
  sent: number;
  latency: Percentiles | undefined;
}

interface Step<T> {
  total: T;
  actors: Map<string, T>;
}

/** Steps, oldest first; undefined where nothing happened. */
export interface Series {
  /** When the first step begins, epoch ms. */
  from: number;
  total: (Figures | undefined)[];
  actors: Map<string, (Figures | undefined)[]>;
}

/** The activity of the last hour in steps of ten seconds, as this process has heard of it: in memory, of bounded size. */
@Injectable()
export class ActivitySeries {
  /** When this process began to listen, epoch ms. */
  readonly since: number;
  /** By number, counted from the epoch. */
  private readonly kept = new Map<number, Step<Figures>>();
  private current?: Step<ActivityTally> & { number: number };

  constructor(
    private readonly settings: EventSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.since = clock.now();
  }

  add({ actor, ...activity }: ActorActivity): void {
    const { total, actors } = this.step();
    total.add(activity);
    const known =
      actors.get(actor) ?? (actors.size < MOST_ACTORS ? new ActivityTally() : undefined);
    if (!known) return;
    known.add(activity);
    actors.set(actor, known);
  }

  /**
   * The steps that are over, of the last minutes, none before {@link since}.
   *
   * @param actor only this one; the total is that of all
   */
  read(minutes: number, actor?: string): Series {
    const { step, steps } = this.settings;
    const end = this.step().number;
    const wanted = Math.min(steps, Math.round((minutes * 60_000) / step));
    const first = Math.min(end, Math.max(end - wanted, this.numberAt(this.since)));
    const found = Array.from({ length: end - first }, (_, n) => this.kept.get(first + n));
    const names = new Set(found.flatMap((each) => [...(each?.actors.keys() ?? [])]));
    const shown = [...names].filter((name) => actor === undefined || name === actor).sort();
    return {
      from: first * step,
      total: found.map((each) => each?.total),
      actors: new Map(shown.map((name) => [name, found.map((each) => each?.actors.get(name))])),
    };
  }

  /** The step in work. */
  private step(): NonNullable<typeof this.current> {
    const number = this.numberAt(this.clock.now());
    const { current } = this;
    // A clock that is set back must not open a step again.
    if (current && current.number >= number) return current;
    if (current) this.keep(current);
    for (const old of this.kept.keys()) {
      if (old >= number - this.settings.steps) break;
      this.kept.delete(old);
    }
    return (this.current = { number, total: new ActivityTally(), actors: new Map() });
  }

  private keep({ number, total, actors }: NonNullable<typeof this.current>): void {
    const all = [...actors].map(([name, tally]) => [name, figuresOf(tally)] as const);
    this.kept.set(number, { total: figuresOf(total), actors: new Map(all) });
  }

  private numberAt(time: number): number {
    return Math.floor(time / this.settings.step);
  }
}

function figuresOf({ done, failed, dead, sent, latencies }: ActivityTally): Figures {
  return { done: Math.max(0, done), failed, dead, sent, latency: latencies.percentiles() };
}
