import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { ActorCounts, Engine } from '../engine.js';

/** How long what was read is good for, ms: however often is scraped, the store is asked no more often. */
const FRESH = 5_000;
/** How long a scrape waits for the store, ms: less than the usual timeout of a scrape. */
const PATIENCE = 2_000;

/** What is asked of the store at a scrape. */
export interface QueueReader {
  /** Names of the actors to ask about. */
  actors(): readonly string[];
  counts: Engine['counts'];
  /** Since when the oldest message that is ready waits, epoch ms; undefined when none does. Absent: no such gauge. */
  oldest?(actor: string): Promise<number | undefined>;
}

interface Depth {
  actor: string;
  counts: ActorCounts;
  oldest: number | undefined;
}

/**
 * Depth and age of the queues, read at a scrape. Scrapes within five seconds share one reading, and so do those that come
 * while the store has not answered; what it does not tell within two seconds is left out of the answer.
 */
export class QueueGauges {
  private readonly messages: Gauge<'actor' | 'state'>;
  private readonly age: Gauge<'actor'> | undefined;
  private depths: readonly Depth[] = [];
  private readAt = -Infinity;
  private reading?: Promise<void>;

  constructor(
    private readonly reader: QueueReader,
    private readonly clock: Clock,
    registry: Registry,
  ) {
    const registers = [registry];
    this.messages = new Gauge({
      name: 'callsheet_queue_messages',
      help: 'Messages of an actor by state: waiting, delayed, active, done (those still kept), dead. All processes together; sum over one instance only.',
      labelNames: ['actor', 'state'],
      registers,
    });
    if (!reader.oldest) return;
    this.age = new Gauge({
      name: 'callsheet_queue_oldest_age_seconds',
      help: 'How long the oldest message of an actor that is ready to be handled has waited; 0 when none waits.',
      labelNames: ['actor'],
      registers,
    });
  }

  /** Sets the gauges. Never rejects. */
  async collect(): Promise<void> {
    const now = this.clock.now();
    if (!this.reading && (now - this.readAt >= FRESH || now < this.readAt)) {
      this.reading = this.read().finally(() => (this.reading = undefined));
    }
    if (this.reading) await this.answered(this.reading);
    this.show();
  }

  private async read(): Promise<void> {
    const depths = await Promise.allSettled(this.reader.actors().map((actor) => this.depth(actor)));
    this.depths = depths.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    this.readAt = this.clock.now();
  }

  private async depth(actor: string): Promise<Depth> {
    const [counts, oldest] = await Promise.all([
      this.reader.counts(actor),
      this.reader.oldest?.(actor),
    ]);
    return { actor, counts, oldest };
  }

  private async answered(reading: Promise<void>): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.after(PATIENCE, resolve);
    });
    await Promise.race([reading, late]);
    cancel();
  }

  /** Old figures that look like new ones would be worse than none. */
  private show(): void {
    this.messages.reset();
    this.age?.reset();
    const now = this.clock.now();
    if (now - this.readAt >= FRESH) return;
    for (const { actor, counts, oldest } of this.depths) {
      for (const [state, count] of Object.entries(counts)) {
        this.messages.set({ actor, state }, count as number);
      }
      const age = oldest === undefined ? 0 : Math.max(0, now - oldest);
      this.age?.set({ actor }, age / 1_000);
    }
  }
}
