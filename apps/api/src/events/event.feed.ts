import {
  Activity,
  ActivityTally,
  CLOCK,
  ENGINE,
  Happenings,
  StoppingError,
  type ActorActivity,
  type ActorCounts,
  type Clock,
  type Engine,
  type Happening,
} from '@callsheet/messaging';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { OWN_ACTORS } from '../actors/known.actor.js';
import type { EventStream } from '../event.stream.js';
import { farewell } from '../farewell.js';
import { ProblemError } from '../problem.js';
import { ActivitySeries } from './activity.series.js';
import type { EventKind } from './event.kinds.js';
import { EventSettings } from './event.settings.js';
import { toEvent, type ActivityEvent, type LiveEvent } from './event.view.js';
import { QueueCounts } from './queue.counts.js';

/** What somebody follows. */
export interface Following {
  kinds: ReadonlySet<EventKind>;
  /** Only what is of this actor. */
  actor: string | undefined;
}

interface Seat extends Following {
  readonly stream: EventStream<LiveEvent>;
  /** Whether it knows how many messages there are. */
  hasCounts: boolean;
}

/**
 * What happens, as the clients of this process follow it, and the series of it. One listens for all of them: what processes tell is put
 * together here, and goes out once a second.
 */
@Injectable()
export class EventFeed implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Events');
  private readonly seats = new Set<Seat>();
  private tallies = new Map<string, ActivityTally>();
  private timer?: NodeJS.Timeout;
  private ear?: Promise<(() => Promise<void>)[]>;
  private isStopping = false;
  private toldAt: number;
  private beatAt: number;
  private countedAt = 0;

  constructor(
    private readonly activity: Activity,
    private readonly happenings: Happenings,
    private readonly series: ActivitySeries,
    private readonly counts: QueueCounts,
    private readonly settings: EventSettings,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.toldAt = this.beatAt = clock.now();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.listen();
    this.timer = setInterval(() => this.tick(), this.settings.tick).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.timer);
    await farewell(() => [...this.seats].map(({ stream }) => stream));
    const ends = (await this.ear) ?? [];
    await Promise.allSettled(ends.map((end) => end()));
  }

  /**
   * @throws StoppingError when the process stops
   * @throws ProblemError too_many_streams
   */
  requireRoom(): void {
    if (this.isStopping) throw new StoppingError();
    if (this.seats.size < this.settings.clients) return;
    const detail = `${this.settings.clients} follow already, as many as may in one process: try again later`;
    throw new ProblemError('too_many_streams', detail, { headers: { 'retry-after': '10' } });
  }

  /** Hands the client what happens, until it leaves. */
  join(stream: EventStream<LiveEvent>, following: Following): void {
    const seat = { ...following, stream, hasCounts: false };
    this.seats.add(seat);
    stream.onLeft(() => this.seats.delete(seat));
    const kinds = [...following.kinds];
    const { name: store } = this.engine.store;
    this.send(seat, { event: 'hello', data: { at: this.now(), store, kinds } });
  }

  /** Never rejects: what fails is tried again. */
  private async listen(): Promise<void> {
    this.ear ??= allOrNone([
      this.activity.listen((told) => this.hearActivity(told)),
      this.happenings.listen((told) => this.hear(told)),
    ]).catch((error: Error) => {
      this.ear = undefined;
      this.logger.warn(`what happens cannot be listened to: ${error.message}`);
      return [];
    });
    await this.ear;
  }

  private hearActivity(told: ActorActivity): void {
    // It is shown nowhere.
    if (isOwn(told.actor)) return;
    this.series.add(told);
    if (this.seats.size === 0) return;
    const tally = this.tallies.get(told.actor) ?? new ActivityTally();
    this.tallies.set(told.actor, tally);
    tally.add(told);
  }

  private hear(happening: Happening): void {
    const event = toEvent(happening);
    if (!event || isOwn(happening['actor'])) return;
    const { kind } = happening;
    const of = happening['actor'] ?? happening['pipeline'];
    for (const seat of this.seats) {
      const isOf = seat.actor === undefined || seat.actor === of || event.event === 'left-out';
      if (isOf && seat.kinds.has(kind as EventKind)) this.send(seat, event);
    }
  }

  private tick(): void {
    void this.listen();
    const now = this.clock.now();
    this.tellActivity(now);
    if (now - this.beatAt < this.settings.beat) return;
    this.beatAt = now;
    for (const { stream } of this.seats) stream.beat();
  }

  private tellActivity(now: number): void {
    const seconds = (now - this.toldAt) / 1_000;
    this.toldAt = now;
    const { tallies } = this;
    this.tallies = new Map();
    const seats = [...this.seats].filter(({ kinds }) => kinds.has('activity'));
    if (seats.length === 0) return this.counts.forget();
    const changed = this.counts.take();
    const { all } = this.counts;
    for (const seat of seats) {
      const actors = activityOf(tallies, seat.hasCounts ? changed : all, seat.actor);
      seat.hasCounts ||= all.size > 0;
      if (actors.length === 0) continue;
      this.send(seat, { event: 'activity', data: { at: this.now(), seconds, actors } });
    }
    if (now - this.countedAt < this.settings.counts) return;
    this.countedAt = now;
    void this.counts.look();
  }

  /** It is a live feed: who takes it too slowly comes back and sees what is then. */
  private send({ stream }: Seat, event: LiveEvent): void {
    if (stream.pending > this.settings.most) return stream.terminate();
    stream.send(event);
  }

  private now(): string {
    return new Date(this.clock.now()).toISOString();
  }
}

/** Ends those that came when another did not: whoever tries again would hear everything twice. */
async function allOrNone(
  ears: readonly Promise<() => Promise<void>>[],
): Promise<(() => Promise<void>)[]> {
  const settled = await Promise.allSettled(ears);
  const ends = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = settled.find((each) => each.status === 'rejected');
  if (!failed) return ends;
  await Promise.allSettled(ends.map((end) => end()));
  throw failed.reason;
}

function activityOf(
  tallies: ReadonlyMap<string, ActivityTally>,
  counts: ReadonlyMap<string, ActorCounts>,
  only: string | undefined,
): ActivityEvent['actors'] {
  const names = [...new Set([...tallies.keys(), ...counts.keys()])].sort();
  return names
    .filter((name) => only === undefined || name === only)
    .map((actor) => {
      const { done, failed, dead, sent, latencies } = tallies.get(actor) ?? new ActivityTally();
      const [latency, changed] = [latencies.percentiles(), counts.get(actor)];
      return {
        ...{ actor, done, failed, dead, sent },
        ...(latency && { latency }),
        ...(changed && { counts: changed }),
      };
    });
}

function isOwn(actor: unknown): boolean {
  return typeof actor === 'string' && OWN_ACTORS.includes(actor);
}
