import { Counter, Histogram, Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { DeadReason, Delivery, Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { Lag } from '../event.loop.js';
import type { Observer } from '../observer.js';
import { lagGauge } from './lag.gauge.js';
import { MetricLabels, type KnownNames } from './metric.labels.js';
import type { Onlooker } from './onlooker.js';
import { QueueGauges, type QueueReader } from './queue.gauges.js';

/** Injection token of the {@link Metrics} of this process; absent when they are off. */
export const METRICS = Symbol('callsheet:metrics');

/** What Prometheus scrapes. */
export interface Metrics {
  /** All metrics in Prometheus' text format. Ends within some two seconds, whatever the store does. */
  text(): Promise<string>;
  /** The same for a scraper, and its media type: as OpenMetrics 1.0 where the header Accept names that. */
  accepted(accept: string | undefined): Promise<{ type: string; text: string }>;
  /**
   * A counter beside those of the framework, in the same text; asked for again by its name it is the same. For what is built on actors.
   *
   * @param name `callsheet_..._total`, with the letters that Prometheus allows
   * @param labels names of its labels: keep the number of their values small
   */
  counterOf<L extends string>(name: string, help: string, labels: readonly L[]): MetricCounter<L>;
}

/** Counts something. */
export interface MetricCounter<L extends string> {
  /** @param by how much more, default 1 */
  inc(labels: Record<L, string>, by?: number): void;
}

const MESSAGE = ['actor', 'type'] as const;
/** Seconds: a wait may be anything from nothing to a backlog of hours. */
const WAITS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600];
const RUNS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Messages can die of these before a handler is looked for, or because there is none. */
const HANDLERLESS = new Set<DeadReason>(['unhandled', 'expired', 'crashed']);

/**
 * Prometheus metrics of what this process sends and handles, of its event loop, and of the queues it knows, in a registry of its own. Actors
 * and types that are neither registered nor handled here are counted as `other`.
 */
export class MetricsObserver implements Observer, Metrics {
  private readonly registry = new Registry();
  private readonly labels: MetricLabels;
  private readonly gauges: QueueGauges;

  private readonly messages = this.counter(
    'callsheet_messages_sent_total',
    'Messages stored by this process. Those a handler sends are counted when it has ended well, before they are stored with the end of its turn.',
    MESSAGE,
  );
  private readonly turns = this.counter(
    'callsheet_turns_total',
    'Turns by outcome: done, retry, dead, quarantine, release, cancelled. Throughput T = N / t is the rate of those done. "refused" counts those done whose effects the store then refused: handled are done - refused.',
    [...MESSAGE, 'outcome'],
  );
  private readonly attempts = this.counter(
    'callsheet_failed_attempts_total',
    'Attempts that failed, the last one of a dead letter included.',
    MESSAGE,
  );
  private readonly deadLetters = this.counter(
    'callsheet_dead_letters_total',
    'Messages given up, by reason.',
    [...MESSAGE, 'reason'],
  );
  private readonly wait = this.histogram(
    'callsheet_wait_seconds',
    'From when a message is ready (sent, or due if delayed) to the start of its first turn.',
    WAITS,
  );
  private readonly run = this.histogram(
    'callsheet_run_seconds',
    'How long turns take, failed ones too.',
    RUNS,
  );
  private readonly latency = this.histogram(
    'callsheet_latency_seconds',
    'Latency L = t - t0: from when a message is ready (t0) to when it is handled (t); failed attempts and their waits included.',
    WAITS,
  );

  constructor(
    names: KnownNames,
    queues: QueueReader,
    private readonly clock: Clock,
    lag?: () => Lag | undefined,
    private readonly onlooker?: Onlooker,
  ) {
    this.labels = new MetricLabels(names);
    this.gauges = new QueueGauges(queues, clock, this.registry);
    if (lag) lagGauge(lag, this.registry);
  }

  async text(): Promise<string> {
    await this.gauges.collect();
    return this.registry.metrics();
  }

  async accepted(accept = ''): Promise<{ type: string; text: string }> {
    return accept.includes('application/openmetrics-text')
      ? { type: Registry.OPENMETRICS_CONTENT_TYPE, text: await this.openMetrics() }
      : { type: this.registry.contentType, text: await this.text() };
  }

  counterOf<L extends string>(name: string, help: string, labels: readonly L[]): MetricCounter<L> {
    const known = this.registry.getSingleMetric(name) as Counter<L> | undefined;
    return (known ?? this.counter(name, help, labels)) as unknown as MetricCounter<L>;
  }

  async send<T>(envelopes: readonly Envelope[], run: () => Promise<T>, by?: Delivery): Promise<T> {
    const result = await run();
    if (!by) this.count(envelopes);
    return result;
  }

  turn(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome> {
    return run().then((outcome) => this.watched(delivery, outcome));
  }

  private watched(delivery: Delivery, outcome: Outcome): Outcome {
    this.ended(delivery, outcome);
    if (outcome.kind !== 'done' || !outcome.refused) return outcome;
    const { effects, refused } = outcome;
    return {
      kind: 'done',
      effects,
      refused: async (error) => {
        const labels = this.labels.of(delivery.envelope, true);
        this.turns.inc({ actor: labels.actor, type: labels.type, outcome: 'refused' });
        this.onlooker?.refused(delivery);
        const instead = await refused(error);
        this.failed(delivery, instead);
        return instead;
      },
    };
  }

  private ended(delivery: Delivery, outcome: Outcome): void {
    const { envelope, startedAt, isFirst, occurrence } = delivery;
    const labels = this.labels.of(envelope, hadHandler(outcome));
    const { actor, type } = labels;
    // One that was sent later than its nominal time, a missed one say, could not be handled before.
    const nominal = envelope.occurrence === undefined ? occurrence : undefined;
    const readyAt = envelope.dueAt ?? nominal ?? envelope.sentAt;
    const now = this.clock.now();
    // Not spread: prom-client takes several times as long for such objects.
    this.turns.inc({ actor, type, outcome: outcome.kind });
    if (isFirst) this.wait.observe(labels, seconds(readyAt, startedAt));
    this.run.observe(labels, seconds(startedAt, now));
    if (outcome.kind === 'done') {
      this.latency.observe(labels, seconds(readyAt, now));
      this.onlooker?.handled(delivery, now - readyAt);
      this.count(outcome.effects?.sends ?? []);
    }
    this.failed(delivery, outcome);
  }

  private failed(delivery: Delivery, outcome: Outcome): void {
    if (!('attempt' in outcome)) return;
    const labels = this.labels.of(delivery.envelope, hadHandler(outcome));
    this.attempts.inc(labels);
    this.onlooker?.failed(delivery, outcome);
    if (outcome.kind !== 'dead') return;
    this.deadLetters.inc({ actor: labels.actor, type: labels.type, reason: outcome.reason });
    this.count(outcome.sends ?? []);
  }

  private count(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      this.messages.inc(this.labels.of(envelope));
      this.onlooker?.sent(envelope);
    }
  }

  private async openMetrics(): Promise<string> {
    // The library's own way renames the counters for good. Only counters are called so.
    const text = (await this.text()).replace(/^(# (?:HELP|TYPE) \S+)_total /gm, '$1 ');
    return `${text.replaceAll('\n\n', '\n')}# EOF\n`;
  }

  private counter<L extends string>(name: string, help: string, labelNames: readonly L[]) {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]) {
    return new Histogram({
      name,
      help,
      labelNames: MESSAGE,
      buckets,
      registers: [this.registry],
    });
  }
}

/** Whether an outcome proves that this process has a handler for the message. */
function hadHandler(outcome: Outcome): boolean {
  if (outcome.kind === 'dead') return !HANDLERLESS.has(outcome.reason);
  return outcome.kind === 'done' || outcome.kind === 'retry' || outcome.kind === 'quarantine';
}

/** Clocks of two machines may disagree. */
function seconds(from: number, to: number): number {
  return Math.max(0, to - from) / 1_000;
}
