import type { Clock } from '../../clock.js';
import type {
  ActorCounts,
  ConsumeOptions,
  KeyPage,
  KeyRecord,
  MessageState,
  QuarantinedKey,
} from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { MemoryConsumer } from './memory.consumer.js';
import { Handled, Letters, type Keep } from './memory.ended.js';
import type { Entry, Work } from './memory.entry.js';
import { agesOf } from '../../priority.js';
import { Heap } from './memory.heap.js';
import { Mailbox } from './memory.mailbox.js';
import { RateLimit } from './memory.rate.limit.js';
import { States } from './memory.states.js';

/** The messages of one actor, each in one place: ready, behind another of its key, waiting for its time, in work, ended. */
export class MemoryQueue {
  readonly states = new States();
  readonly handled: Handled;
  readonly letters: Letters;
  private readonly ready = new Heap<Entry>();
  private readonly mailboxes = new Map<string, Mailbox>();
  private readonly consumers = new Set<MemoryConsumer>();
  private readonly numbers: Record<MessageState, number> = {
    waiting: 0,
    delayed: 0,
    parked: 0,
    active: 0,
    done: 0,
    dead: 0,
    cancelled: 0,
  };
  private reads: ReadonlySet<string> = new Set();
  private rateLimit?: RateLimit;
  private cancelTimer?: () => void;
  private seq = 0;
  private aging?: number;
  private ages = agesOf();
  /** When it was looked last for what waits long. */
  private agedAt = 0;
  /** The most messages that wait per key. */
  mailboxLimit = Infinity;

  /** @param onReady called when one more may be started */
  constructor(
    keep: { keepDone: Keep; keepDead: Keep },
    private readonly clock: Clock,
    private readonly onReady: (queue: MemoryQueue) => void,
  ) {
    this.handled = new Handled(keep.keepDone);
    this.letters = new Letters(keep.keepDead);
  }

  counts(): ActorCounts {
    const { waiting, parked, delayed, active, done, cancelled, dead } = this.numbers;
    return { waiting: waiting + parked, delayed, active, done: done + cancelled, dead };
  }

  /** Since when that message waits which has waited longest. */
  oldest(): number | undefined {
    let oldest = Infinity;
    for (const { envelope } of this.waiting()) {
      oldest = Math.min(oldest, envelope.dueAt ?? envelope.sentAt);
    }
    return Number.isFinite(oldest) ? oldest : undefined;
  }

  private *waiting(): Generator<Entry> {
    yield* this.ready;
    for (const mailbox of this.mailboxes.values()) {
      for (const entry of mailbox) if (entry.state === 'parked') yield entry;
    }
  }

  // ---- consumers

  employ(
    consumer: MemoryConsumer,
    { rateLimit, aging, reserved, reads, mailbox }: ConsumeOptions,
  ): void {
    this.consumers.add(consumer);
    this.aging = aging;
    this.ages = agesOf(reserved);
    if (mailbox !== undefined) this.mailboxLimit = mailbox;
    if (
      rateLimit &&
      (rateLimit.max !== this.rateLimit?.max || rateLimit.per !== this.rateLimit.per)
    )
      this.rateLimit = new RateLimit(rateLimit.max, rateLimit.per);
    if (!reads) return;
    this.reads = reads;
    // What waits outside of mailboxes and no longer only reads.
    const outside = this.ready.items().filter((entry) => !entry.mailbox);
    for (const entry of outside) {
      if (!this.usesMailbox(entry.envelope)) continue;
      this.leaveReady(entry);
      this.arrive(entry);
    }
    // What came before anybody knew that it only reads.
    const parked = [...this.mailboxes.values()].flatMap((mailbox) => [...mailbox]);
    for (const entry of parked) {
      const waits = entry.state === 'parked' || entry.state === 'waiting';
      if (!waits || !reads.has(entry.envelope.type)) continue;
      this.leaveReady(entry);
      this.leaveMailbox(entry);
      this.arrive(entry);
    }
  }

  /** How many turns run. */
  get working(): number {
    let sum = 0;
    for (const { working } of this.consumers) sum += working;
    return sum;
  }

  get works(): Work[] {
    return [...this.consumers].flatMap(({ works }) => [...works]);
  }

  /** Starts what is ready, as far as there is room. */
  dispatch(start: (entry: Entry, consumer: MemoryConsumer) => void): void {
    this.age();
    for (;;) {
      const first = this.ready.peek();
      const consumer = first && this.vacancy(first.item);
      const entry = consumer && this.ready.take();
      if (!entry) return;
      entry.slot = undefined;
      start(entry, consumer);
      this.rateLimit?.count(this.clock.now());
    }
  }

  /** What could start now. */
  startable(): Entry[] {
    return this.ready.all().flatMap(({ item }) => (this.vacancy(item) ? [item] : []));
  }

  /** Starts one that is {@link startable}. */
  startOne(entry: Entry, start: (entry: Entry, consumer: MemoryConsumer) => void): void {
    const consumer = this.vacancy(entry);
    if (!consumer) return;
    this.leaveReady(entry);
    start(entry, consumer);
    this.rateLimit?.count(this.clock.now());
  }

  /** What has waited long comes into a better lane, behind those that are there. */
  private age(): void {
    const { aging } = this;
    const now = this.clock.now();
    if (aging === undefined || Math.abs(now - this.agedAt) < aging / 10) return;
    this.agedAt = now;
    for (const [lane, times] of this.ages) {
      const old = this.ready.all().filter(({ rank, item: { envelope } }) => {
        return rank > lane && (envelope.dueAt ?? envelope.sentAt) <= now - times * aging;
      });
      for (const slot of old.sort((a, b) => a.rank - b.rank || a.order - b.order)) {
        this.ready.remove(slot);
        slot.item.rank = lane;
        slot.item.seq = ++this.seq;
        slot.item.slot = this.ready.add(slot.item, lane, slot.item.seq);
      }
    }
  }

  abandon(): Work[] {
    return [...this.consumers].flatMap((consumer) => consumer.abandon());
  }

  close(): void {
    this.cancelTimer?.();
  }

  /** A consumer that may start the turn of this message now. */
  private vacancy(entry: Entry): MemoryConsumer | undefined {
    const free = [...this.consumers].find((consumer) => consumer.hasRoom(entry));
    const wait = free && this.rateLimit?.wait(this.clock.now());
    if (!wait) return free;
    this.cancelTimer ??= this.clock.after(wait, () => {
      this.cancelTimer = undefined;
      this.onReady(this);
    });
    return undefined;
  }

  // ---- messages that wait

  /** Counts a new entry in. */
  enter(entry: Entry): void {
    this.numbers[entry.state]++;
  }

  /** Counts an entry out. */
  drop(entry: Entry): void {
    this.numbers[entry.state]--;
  }

  mark(entry: Entry, state: MessageState): void {
    this.numbers[entry.state]--;
    this.numbers[state]++;
    entry.state = state;
  }

  /** Its time has come. One that stands in a mailbox is its head. */
  arrive(entry: Entry): void {
    if (entry.mailbox === undefined && this.usesMailbox(entry.envelope)) {
      const mailbox = this.mailbox(entry.envelope.key);
      const { head } = mailbox;
      entry.arrival = ++this.seq;
      mailbox.join(entry);
      if (mailbox.head !== entry) return this.mark(entry, 'parked');
      if (head) this.displace(head);
    }
    entry.seq = ++this.seq;
    this.offer(entry);
  }

  /** Another comes before the first of a mailbox. */
  private displace(head: Entry): void {
    this.leaveReady(head);
    this.mark(head, 'parked');
  }

  /** Goes back to where it was before it was taken. */
  giveBack(entry: Entry): void {
    this.offer(entry);
  }

  leaveReady(entry: Entry): void {
    if (entry.slot) this.ready.remove(entry.slot);
    entry.slot = undefined;
  }

  /** The next of its key moves up. */
  leaveMailbox(entry: Entry): void {
    const { mailbox } = entry;
    if (!mailbox) return;
    const wasHead = mailbox.head === entry;
    mailbox.leave(entry);
    const { head } = mailbox;
    if (head && wasHead) {
      // Behind the other keys: one with a long mailbox does not hold them up.
      head.seq = ++this.seq;
      this.offer(head);
    } else if (!head && !mailbox.isQuarantined) this.mailboxes.delete(mailbox.key);
  }

  usesMailbox({ key, type }: Envelope): boolean {
    return key !== undefined && !this.reads.has(type);
  }

  /** How many more messages the mailbox of this key takes. */
  roomFor(key: string): number {
    return this.mailboxLimit - (this.mailboxes.get(key)?.waiting ?? 0);
  }

  private offer(entry: Entry): void {
    if (entry.mailbox?.isQuarantined) return this.mark(entry, 'parked');
    this.mark(entry, 'waiting');
    entry.slot = this.ready.add(entry, entry.rank, entry.seq);
    this.onReady(this);
  }

  private mailbox(key = ''): Mailbox {
    const known = this.mailboxes.get(key) ?? new Mailbox(key);
    this.mailboxes.set(key, known);
    return known;
  }

  // ---- keys

  keys({ by, limit }: KeyPage): KeyRecord[] {
    const all = [...this.mailboxes.values()].filter(({ head }) => head !== undefined);
    const order = {
      age: (a: Mailbox, b: Mailbox) => a.head!.arrival - b.head!.arrival,
      depth: (a: Mailbox, b: Mailbox) => b.depth - a.depth,
    };
    return all.sort(order[by]).slice(0, limit).map(recordOf);
  }

  key(key: string): KeyRecord | undefined {
    const mailbox = this.mailboxes.get(key);
    return mailbox?.head && recordOf(mailbox);
  }

  quarantined(): QuarantinedKey[] {
    return [...this.mailboxes.values()]
      .flatMap((mailbox) => mailbox.report() ?? [])
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  release(key: string): boolean {
    const mailbox = this.mailboxes.get(key);
    if (!mailbox?.release()) return false;
    if (!mailbox.head) this.mailboxes.delete(key);
    else if (mailbox.head.state === 'parked') this.offer(mailbox.head);
    return true;
  }
}

/** @param mailbox one in which messages stand */
function recordOf({ key, depth, head, isQuarantined }: Mailbox): KeyRecord {
  const { dueAt, sentAt } = head!.envelope;
  return { key, depth, since: dueAt ?? sentAt, isQuarantined };
}
