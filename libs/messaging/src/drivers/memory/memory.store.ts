import type { Clock } from '../../clock.js';
import { hasEnded } from '../../ended.js';
import {
  sentOf,
  type Cancellation,
  type Delivery,
  type Edited,
  type Effects,
  type MessageRecord,
  type Outcome,
} from '../../engine.js';
import { storageIds, type Envelope } from '../../envelope.js';
import { CancelledError, LockLostError } from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { Stop } from '../../stop.js';
import { survived } from '../survived.js';
import { admit } from './memory.admission.js';
import { DueEntries } from './memory.due.js';
import { entryOf, remember, type Entry, type Work } from './memory.entry.js';
import { RememberedIds } from './memory.ids.js';
import { Terms } from './memory.terms.js';
import { MemoryQueue } from './memory.queue.js';

/** What a memory store goes by. */
export type MemoryOptions = Pick<ResolvedOptions, 'idempotencyWindow' | 'keepDone' | 'keepDead'>;

/** Who is told what. */
export interface Listeners {
  /** Of these actors more messages may be started. */
  ready(queues: readonly MemoryQueue[]): void;
  stored(entry: Entry): void;
  ended(entry: Entry): void;
}

/** All messages, and every step that changes them. Each step is whole: it is done before anything else happens, or refused. */
export class MemoryStore {
  readonly entries = new Map<string, Entry>();
  readonly queues = new Map<string, MemoryQueue>();
  readonly ids: RememberedIds;
  readonly terms = new Terms();
  private readonly due: DueEntries;
  private readonly changed = new Set<MemoryQueue>();
  private depth = 0;
  private deaths = 0;

  constructor(
    private readonly options: MemoryOptions,
    private readonly clock: Clock,
    private readonly listeners: Listeners,
  ) {
    this.ids = new RememberedIds(options.idempotencyWindow);
    this.due = new DueEntries(clock, (entries) => {
      this.step(() => entries.forEach((entry) => this.queueOf(entry).arrive(entry)));
    });
  }

  queue(actor: string): MemoryQueue {
    let queue = this.queues.get(actor);
    if (!queue) {
      queue = new MemoryQueue(this.options, this.clock, (each) => {
        this.step(() => this.changed.add(each));
      });
      this.queues.set(actor, queue);
    }
    this.expire(queue);
    return queue;
  }

  lookUp(id: string, actors: readonly string[]): Entry | undefined {
    for (const actor of actors) this.queue(actor);
    return storageIds(id)
      .map((key) => this.entries.get(key))
      .find((entry) => entry && actors.includes(entry.envelope.actor));
  }

  /** All messages of an actor, in no order. */
  of(actor: string): Entry[] {
    this.queue(actor);
    return [...this.entries.values()].filter(({ envelope }) => envelope.actor === actor);
  }

  close(): void {
    this.due.close();
    for (const queue of this.queues.values()) queue.close();
  }

  /** @throws what {@link admit} throws */
  send(envelopes: readonly Envelope[]): void {
    const fresh = admit(envelopes, this, this.clock.now());
    this.step(() => this.insertAll(fresh));
  }

  /** Gives an entry that is ready to a turn. */
  take(entry: Entry): Work {
    const now = this.clock.now();
    this.queueOf(entry).mark(entry, 'active');
    entry.startedAt = now;
    entry.death = undefined;
    const { envelope, failures, history, crashes, isCancelled } = entry;
    const { occurrence } = envelope;
    const state = envelope.key === undefined ? undefined : this.stateOf(entry, envelope.key);
    const delivery: Delivery = {
      envelope: structuredClone(envelope),
      attempt: failures + 1,
      isFirst: entry.starts++ === 0,
      history: structuredClone(history),
      crashes,
      ...(entry.trial && { trial: entry.trial }),
      noteTrial: async (trial) => {
        if (entry.work?.delivery !== delivery) throw new LockLostError();
        entry.trial = Object.freeze({ ...trial });
      },
      startedAt: now,
      ...(occurrence !== undefined && { occurrence }),
      isCancelled,
      ...(state && { state: structuredClone(state) }),
      stop: new Stop(),
    };
    entry.work = { entry, delivery };
    return entry.work;
  }

  /**
   * Ends a turn. One that has lost its message changes nothing.
   *
   * @throws what {@link admit} throws, and LockLostError when the state has changed meanwhile; then nothing is changed
   */
  commit(work: Work, outcome: Outcome): boolean {
    const { entry } = work;
    if (entry.work !== work) return false;
    this.step(() => this.apply(entry, outcome));
    return true;
  }

  cancel(entry: Entry): Cancellation {
    if (entry.state === 'active') {
      entry.isCancelled = true;
      entry.work?.delivery.stop.abort(new CancelledError(entry.envelope.id));
      return 'cancelling';
    }
    if (hasEnded(entry.state)) return 'ended';
    this.step(() => {
      this.withdraw(entry);
      this.end(entry, 'cancelled');
    });
    return 'cancelled';
  }

  redrive(entry: Entry, edited?: Edited): boolean {
    if (entry.state !== 'dead') return false;
    const queue = this.queueOf(entry);
    queue.letters.remove(entry);
    if (edited) this.setData(entry, structuredClone(edited));
    entry.failures = 0;
    entry.crashes = 0;
    entry.trial = undefined;
    entry.isCancelled = false;
    entry.redrives++;
    entry.reason = undefined;
    entry.startedAt = undefined;
    entry.finishedAt = undefined;
    this.step(() => queue.arrive(entry));
    return true;
  }

  rewrite(letter: MessageRecord): boolean {
    const entry = this.entries.get(letter.storageId);
    const { finishedAt, redrives } = letter;
    if (entry?.state !== 'dead' || entry.finishedAt !== finishedAt) return false;
    if (entry.redrives !== redrives) return false;
    const { envelope, history } = structuredClone(letter);
    this.setData(entry, envelope);
    entry.history = history;
    return true;
  }

  discard(entry: Entry): boolean {
    if (entry.state !== 'dead') return false;
    this.remove(entry);
    return true;
  }

  release(actor: string, key: string): boolean {
    return this.step(() => this.queue(actor).release(key));
  }

  /** As if the process had died in which these turns are in work: their messages are given out again. */
  loseAll(works: readonly Work[]): void {
    this.step(() => {
      for (const work of works) {
        const { entry } = work;
        if (entry.work !== work) continue;
        entry.work = undefined;
        entry.crashes++;
        this.queueOf(entry).giveBack(entry);
      }
    });
  }

  private apply(entry: Entry, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'done':
        return this.finish(entry, outcome.effects);
      case 'dead':
        return this.bury(entry, outcome);
      case 'cancelled':
        return this.quit(entry, outcome.sends);
      case 'retry':
        remember(entry, outcome.attempt);
        return this.postpone(entry, outcome.delay);
      case 'release':
        if (outcome.delay) entry.starts--;
        return this.postpone(entry, outcome.delay);
      case 'quarantine':
        // A read stands in no mailbox.
        if (!entry.mailbox) return this.bury(entry, { ...outcome, reason: 'quarantined' });
        remember(entry, outcome.attempt);
        entry.mailbox.quarantine(entry, outcome.attempt, this.clock.now());
        return this.postpone(entry, undefined);
    }
  }

  private finish(entry: Entry, effects: Partial<Effects> = {}): void {
    const { sends = [], reply } = effects;
    const fresh = admit(sends, this, this.clock.now(), entry);
    const { key } = entry.envelope;
    if (key !== undefined) this.queueOf(entry).states.commit(key, effects, this.clock.now());
    if (reply) entry.reply = structuredClone(reply);
    entry.sent = sentOf(sends);
    this.end(entry, 'done');
    this.insertAll(fresh);
  }

  private quit(entry: Entry, sends: readonly Envelope[] = []): void {
    const fresh = admit(sends, this, this.clock.now(), entry);
    this.end(entry, 'cancelled');
    this.insertAll(fresh);
  }

  private bury(
    entry: Entry,
    { reason, attempt, sends = [] }: Omit<Extract<Outcome, { kind: 'dead' }>, 'kind'>,
  ): void {
    const fresh = admit(sends, this, this.clock.now(), entry);
    remember(entry, attempt);
    entry.reason = reason;
    entry.death = ++this.deaths;
    this.end(entry, 'dead');
    this.insertAll(fresh);
  }

  /** It has stopped waiting or working, and is kept for a while. */
  private end(entry: Entry, state: 'done' | 'dead' | 'cancelled'): void {
    const queue = this.queueOf(entry);
    entry.work = undefined;
    entry.finishedAt = this.clock.now();
    queue.leaveMailbox(entry);
    queue.mark(entry, state);
    (state === 'dead' ? queue.letters : queue.handled).add(entry);
    this.expire(queue);
    this.listeners.ended(entry);
  }

  /** It keeps its place in its mailbox. */
  private postpone(entry: Entry, delay: number | undefined): void {
    const queue = this.queueOf(entry);
    entry.work = undefined;
    entry.trial = survived(entry.trial, entry.crashes);
    if (delay === undefined) return queue.giveBack(entry);
    this.wait(entry, this.clock.now() + delay);
  }

  private wait(entry: Entry, due: number): void {
    const queue = this.queueOf(entry);
    if (due <= this.clock.now()) return queue.arrive(entry);
    queue.mark(entry, 'delayed');
    this.due.add(entry, due);
  }

  private insertAll(fresh: ReadonlyMap<string, Envelope>): void {
    const now = this.clock.now();
    for (const [id, envelope] of fresh) {
      const replaced = this.entries.get(id);
      if (replaced) this.remove(replaced);
      if (envelope.fingerprint !== undefined) this.ids.add(id, envelope.fingerprint, now);
      this.insert(entryOf(envelope));
    }
  }

  private insert(entry: Entry): void {
    this.entries.set(entry.storageId, entry);
    this.terms.add(entry);
    this.queueOf(entry).enter(entry);
    this.wait(entry, entry.envelope.dueAt ?? 0);
    this.listeners.stored(entry);
  }

  /** For good. Never one that is in work. */
  private remove(entry: Entry): void {
    const queue = this.queueOf(entry);
    if (entry.state === 'dead') queue.letters.remove(entry);
    else if (hasEnded(entry.state)) queue.handled.remove(entry);
    else this.withdraw(entry);
    this.forget(queue, entry);
  }

  private withdraw(entry: Entry): void {
    const queue = this.queueOf(entry);
    if (entry.state === 'delayed') this.due.remove(entry);
    else queue.leaveReady(entry);
    queue.leaveMailbox(entry);
  }

  private expire(queue: MemoryQueue): void {
    const now = this.clock.now();
    for (const entry of queue.handled.expire(now)) this.forget(queue, entry);
    for (const entry of queue.letters.expire(now)) this.forget(queue, entry);
  }

  private forget(queue: MemoryQueue, entry: Entry): void {
    queue.drop(entry);
    this.entries.delete(entry.storageId);
    this.terms.remove(entry);
  }

  private setData(entry: Entry, edited: Edited): void {
    this.terms.remove(entry);
    entry.envelope = withData(entry.envelope, edited);
    this.terms.add(entry);
  }

  private queueOf({ envelope }: Entry): MemoryQueue {
    return this.queues.get(envelope.actor) ?? this.queue(envelope.actor);
  }

  private stateOf(entry: Entry, key: string): ReturnType<MemoryQueue['states']['get']> {
    return this.queueOf(entry).states.get(key);
  }

  /** Messages start when all of a step is done: then the most urgent is first, not the first stored. */
  private step<T>(work: () => T): T {
    this.depth++;
    try {
      return work();
    } finally {
      this.depth--;
      if (this.depth === 0 && this.changed.size > 0) {
        const queues = [...this.changed];
        this.changed.clear();
        this.listeners.ready(queues);
      }
    }
  }
}

function withData(
  { types: _, terms: __, ...rest }: Envelope,
  { data, types, terms }: Edited,
): Envelope {
  return {
    ...rest,
    data: data as Envelope['data'],
    ...(types !== undefined && { types }),
    ...(terms && { terms }),
  };
}
