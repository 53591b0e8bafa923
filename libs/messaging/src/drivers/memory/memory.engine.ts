import {
  HISTORY_LIMIT,
  type ActorCounts,
  type ConsumeOptions,
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
  private handled = 0;
  private closed = false;

  constructor(private readonly options: Options) {}

  async open(): Promise<void> {}

  async send(envelopes: readonly Envelope[]): Promise<void> {
    const fresh = new Map<string, Envelope>();
    for (const envelope of envelopes) {
      const key = storageId(envelope);
      const known = fresh.get(key)?.fingerprint ?? this.knownFingerprint(key);
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
    { offset, limit }: { offset: number; limit: number },
  ): Promise<MessageRecord[]> {
    return this.latest(actors, 'dead')
      .slice(offset, offset + limit)
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
      key: storageId(envelope),
      envelope,
      state: 'waiting',
      history: [],
      redrives: 0,
      seq: 0,
      failures: 0,
      occurrence,
    };
    this.entries.set(entry.key, entry);
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
    for (const consumer of this.consumers.get(entry.envelope.actor) ?? []) consumer.wake();
  }

  private take(actor: string): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.of([actor])) {
      if (entry.state === 'waiting' && (!next || comesBefore(entry, next))) next = entry;
    }
    if (next) {
      next.state = 'active';
      next.startedAt = Date.now();
    }
    return next;
  }

  private commit(entry: Entry, outcome: Outcome): void {
    if (outcome.kind === 'release') {
      entry.state = 'waiting';
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
    else if (++this.handled % Math.ceil(this.options.keepDone.count / 10) === 0) {
      this.forget(entry.envelope.actor, now);
    }
  }

  /** Drops handled messages beyond the age and count to keep. */
  private forget(actor: string, now: number): void {
    const { age, count } = this.options.keepDone;
    this.latest([actor], 'done').forEach((entry, index) => {
      if (index >= count || now - (entry.finishedAt ?? now) > age) this.entries.delete(entry.key);
    });
  }

  private lookUp(id: string, actors: readonly string[]): Entry | undefined {
    return storageIds(id)
      .map((key) => this.entries.get(key))
      .find((entry) => entry && actors.includes(entry.envelope.actor));
  }

  private latest(actors: readonly string[], state: 'done' | 'dead'): Entry[] {
    return this.of(actors)
      .filter((entry) => entry.state === state)
      .sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.seq - a.seq);
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

function toRecord({
  envelope,
  state,
  history,
  startedAt,
  finishedAt,
  reason,
  redrives,
}: Entry): MessageRecord {
  return structuredClone({ envelope, state, history, startedAt, finishedAt, reason, redrives });
}
