import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { fingerprintOfDeath } from '../dead.letter.fingerprint.js';
import { ENGINE, type Delivery, type Engine, type Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';
import { Happenings } from '../happenings.js';
import type { JsonObject } from '../json.js';
import { Signals } from '../signals.js';
import { Teller, toldBy } from '../teller.js';
import { ActivityTally, type ActorActivity } from './activity.tally.js';
import type { Onlooker } from './onlooker.js';

const SIGNAL = 'callsheet:activity';
const EVERY = 1_000;
const MOST_ACTORS = 200;
const OTHERS = '*';

/**
 * Tells all processes on the store what this one does, in numbers: once a second, and nothing when nothing is done. For people who look
 * on now; nothing is kept. Each dead letter and each key that stops is a {@link Happenings happening} too.
 */
@Injectable()
export class Activity implements Onlooker, OnModuleDestroy {
  private tallies = new Map<string, ActivityTally>();
  private readonly teller: Teller;

  constructor(
    @Inject(ENGINE) engine: Engine,
    private readonly signals: Signals,
    private readonly happenings: Happenings,
  ) {
    this.teller = new Teller(engine, SIGNAL, EVERY, () => this.take());
  }

  /**
   * Calls `hear` with what processes tell, this one too, from now on.
   *
   * @returns what ends it
   * @throws StoreError when the store does not answer
   */
  listen(hear: (activity: ActorActivity) => void): Promise<() => Promise<void>> {
    return this.signals.listen(SIGNAL, (text) => {
      for (const each of toldBy(text)) if (isActivity(each)) hear(each);
    });
  }

  sent({ actor }: Envelope): void {
    this.of(actor).sent++;
  }

  handled({ envelope }: Delivery, latency: number): void {
    const tally = this.of(envelope.actor);
    tally.done++;
    tally.latencies.add(latency);
  }

  refused({ envelope }: Delivery): void {
    this.of(envelope.actor).done--;
  }

  failed({ envelope, attempt }: Delivery, outcome: Extract<Outcome, { attempt: object }>): void {
    const { id, actor, type, key } = envelope;
    const tally = this.of(actor);
    tally.failed++;
    const { error } = outcome.attempt;
    if (outcome.kind === 'quarantine' && key !== undefined) {
      const details = { what: 'quarantined', actor, key, id, type, error: error.name };
      this.happenings.tell('key', () => details);
    }
    if (outcome.kind !== 'dead') return;
    tally.dead++;
    const { reason } = outcome;
    this.happenings.tell('dead-letter', () => ({
      ...{ id, actor, type, key, reason, attempts: attempt, error: error.name },
      fingerprint: fingerprintOfDeath({ actor, type, reason, error }),
    }));
  }

  onModuleDestroy(): Promise<void> {
    return this.teller.stop();
  }

  private of(actor: string): ActivityTally {
    const known = this.tallies.get(actor);
    if (known) return known;
    if (this.tallies.size >= MOST_ACTORS && actor !== OTHERS) return this.of(OTHERS);
    const tally = new ActivityTally();
    this.tallies.set(actor, tally);
    this.teller.wake();
    return tally;
  }

  private take(): JsonObject[] {
    const { tallies } = this;
    this.tallies = new Map();
    return [...tallies].map(([actor, tally]) => ({ actor, ...tally.all() }));
  }
}

/** Whatever else may be told under that name, by another release say. */
function isActivity(told: JsonObject): told is JsonObject & ActorActivity {
  const { actor, done, failed, dead, sent, latencies } = told;
  const counts = [done, failed, dead, sent];
  return (
    typeof actor === 'string' &&
    counts.every(Number.isSafeInteger) &&
    Array.isArray(latencies) &&
    latencies.every((each) => Array.isArray(each) && each.length === 2 && each.every(isCount))
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
