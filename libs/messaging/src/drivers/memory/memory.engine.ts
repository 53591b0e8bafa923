import {
  HISTORY_LIMIT,
  type ActorCounts,
  type ConsumeOptions,
  type DeadLetterPlace,
  type Consumer,
  type Engine,
  type FinishedTurn,
  type MessageRecord,
  type Outcome,
  type ScheduleRecord,
  type ScheduleSpec,
  type StoreInfo,
  type TurnFunction,
} from '../../engine.js';
import { storageId, storageIds, type Envelope } from '../../envelope.js';
import { IdempotencyConflictError } from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import type { Entry } from './memory.entry.js';
import { MemoryConsumer } from './memory.consumer.js';
import { MemorySchedules } from './memory.schedules.js';

type Options = Pick<ResolvedOptions, 'idempotencyWindow' | 'keepDone'>;

/** How often handled messages beyond the age and count to keep are dropped, ms. */
const FORGET_EVERY = 2_000;
/** setTimeout cannot wait longer; what is due later is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Keeps everything in this process and loses it with it. For tests and first tries. */
export class MemoryEngine implements Engine {
  readonly store: StoreInfo = { name: 'memory', durability: 'memory', shared: false };
  private readonly entries = new Map<string, Entry>();
  private readonly remembered = new Map<string, { fingerprint: string; until: number }>();
  private readonly consumers = new Map<string, Set<MemoryConsumer>>();
  private readonly cron = new MemorySchedules((envelope, at) => this.insert(envelope, at));
  private seq = 0;
  private forgetting?: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly options: Options) {}

  async open(): Promise<void> {
    this.forgetting = setInterval(() => this.forget(Date.now()), FORGET_EVERY).unref();
  }

  async send(envelopes: readonly Envelope[]): Promise<void> {
    const fresh = new Map<string, Envelope>();
    for (const envelope of envelopes) {
      const key = storageId(envelope);
      const known = fresh.get(key)?.fingerprint ?? this.knownFingerprint(key);
      if (envelope.fingerprint === undefined && this.entries.has(key)) continue;
      if (known === undefined) fresh.set(key, envelope);
      else if (known !== envelope.fingerprint) throw new IdempotencyConflictError(envelope.id);
    }
    const until = Date.now() + this.options.idempotencyWindow;
    for (const [key, envelope] of fresh) {
      if (envelope.fingerprint !== undefined) {
        this.remembered.set(key, { fingerprint: envelope.fingerprint, until });
      }
      this.insert(envelope);
    }
  }

  async consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    const consumer = new MemoryConsumer(
      options.concurrency,
      turn,
      () => this.take(actor),
      (entry, outcome) => this.commit(entry, outcome),
    );
    const group = this.consumers.get(actor) ?? new Set();
    this.consumers.set(actor, group.add(consumer));
    consumer.wake();
    return consumer;
  }

  async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const entry = this.lookUp(id, actors);
    return entry && toRecord(entry);
  }

  async counts(actor: string): Promise<ActorCounts> {
    const counts: ActorCounts = { waiting: 0, delayed: 0, active: 0, done: 0, dead: 0 };
    for (const entry of this.of([actor])) counts[entry.state]++;
    return counts;
  }

  async finished(actor: string, limit: number): Promise<FinishedTurn[]> {
    return this.latest([actor], 'done')
      .slice(0, limit)
      .map(({ envelope, startedAt = 0, finishedAt = 0 }) => ({
        readyAt: envelope.dueAt ?? envelope.sentAt,
        startedAt,
        finishedAt,
      }));
  }

  async deadLetters(
    actors: readonly string[],
    { after, limit }: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]> {
    return this.latest(actors, 'dead')
      .filter((entry) => !after || newestFirst(entry, after) > 0)
      .slice(0, limit)
      .map(toRecord);
  }

  async redrive(id: string, actors: readonly string[]): Promise<boolean> {
    const entry = this.lookUp(id, actors);
    if (entry?.state !== 'dead') return false;
    entry.failures = 0;
    entry.redrives++;
    entry.reason = undefined;
    entry.startedAt = undefined;
    entry.finishedAt = undefined;
    this.makeReady(entry);
    return true;
  }

  async putSchedule(schedule: ScheduleSpec): Promise<void> {
    this.cron.put(schedule);
  }

  async schedules(actors: readonly string[]): Promise<ScheduleRecord[]> {
    return this.cron.list(actors);
  }

  async ping(): Promise<void> {
    if (this.closed) throw new Error('the memory store is closed');
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.forgetting);
    this.cron.close();
    for (const entry of this.entries.values()) clearTimeout(entry.timer);
  }

  private knownFingerprint(key: string): string | undefined {
    const remembered = this.remembered.get(key);
    if (remembered && remembered.until > Date.now()) return remembered.fingerprint;
    this.remembered.delete(key);
    return this.entries.get(key)?.envelope.fingerprint;
  }

  private insert(envelope: Envelope, occurrence?: number): void {
    const entry: Entry = {
      storageId: storageId(envelope),
      envelope,
      state: 'waiting',
      history: [],
      redrives: 0,
      seq: 0,
      failures: 0,
      starts: 0,
      occurrence,
    };
    this.entries.set(entry.storageId, entry);
    this.delayUntil(entry, envelope.dueAt ?? 0);
  }

  private delayUntil(entry: Entry, due: number): void {
    const wait = due - Date.now();
    if (wait <= 0 || this.closed) return this.makeReady(entry);
    entry.state = 'delayed';
    entry.timer = setTimeout(() => this.delayUntil(entry, due), Math.min(wait, LONGEST_TIMER));
    entry.timer.unref();
  }

  private makeReady(entry: Entry): void {
    entry.state = 'waiting';
    entry.seq = ++this.seq;
    this.wake(entry.envelope.actor);
  }

  private wake(actor: string): void {
    for (const consumer of this.consumers.get(actor) ?? []) consumer.wake();
  }

  private take(actor: string): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.of([actor])) {
      if (entry.state === 'waiting' && (!next || comesBefore(entry, next))) next = entry;
    }
    if (next) {
      next.state = 'active';
      next.startedAt = Date.now();
      next.starts++;
    }
    return next;
  }

  private commit(entry: Entry, outcome: Outcome): void {
    if (outcome.kind === 'release') {
      entry.state = 'waiting';
      this.wake(entry.envelope.actor);
      return;
    }
    const now = Date.now();
    if (outcome.kind !== 'done')
      entry.history = [...entry.history, outcome.attempt].slice(-HISTORY_LIMIT);
    if (outcome.kind === 'retry') {
      entry.failures++;
      this.delayUntil(entry, now + outcome.delay);
      return;
    }
    entry.finishedAt = now;
    entry.state = outcome.kind;
    if (outcome.kind === 'dead') entry.reason = outcome.reason;
  }

  /** Drops handled messages, and ids of senders, that need no longer be remembered. */
  private forget(now: number): void {
    const { age, count } = this.options.keepDone;
    const actors = new Set([...this.entries.values()].map(({ envelope }) => envelope.actor));
    for (const actor of actors) {
      this.latest([actor], 'done').forEach(({ storageId: key, finishedAt = now }, index) => {
        if (index >= count || now - finishedAt > age) this.entries.delete(key);
      });
    }
    for (const [key, { until }] of this.remembered) if (until < now) this.remembered.delete(key);
  }

  private lookUp(id: string, actors: readonly string[]): Entry | undefined {
    return storageIds(id)
      .map((key) => this.entries.get(key))
      .find((entry) => entry && actors.includes(entry.envelope.actor));
  }

  private latest(actors: readonly string[], state: 'done' | 'dead'): Entry[] {
    return this.of(actors)
      .filter((entry) => entry.state === state)
      .sort(newestFirst);
  }

  private of(actors: readonly string[]): Entry[] {
    return [...this.entries.values()].filter(({ envelope }) => actors.includes(envelope.actor));
  }
}

function comesBefore(a: Entry, b: Entry): boolean {
  return (
    a.envelope.priority - b.envelope.priority < 0 ||
    (a.envelope.priority === b.envelope.priority && a.seq < b.seq)
  );
}

/** Order of finished messages; equal times by storage id. */
function newestFirst(a: Partial<DeadLetterPlace>, b: Partial<DeadLetterPlace>): number {
  const byTime = (b.finishedAt ?? 0) - (a.finishedAt ?? 0);
  return (
    byTime || ((a.storageId ?? '') < (b.storageId ?? '') ? 1 : a.storageId === b.storageId ? 0 : -1)
  );
}

function toRecord({
  storageId: key,
  envelope,
  state,
  history,
  startedAt,
  finishedAt,
  reason,
  redrives,
}: Entry): MessageRecord {
  return structuredClone({
    storageId: key,
    envelope,
    state,
    history,
    startedAt,
    finishedAt,
    reason,
    redrives,
  });
}
