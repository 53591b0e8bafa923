import type {
  Delivery,
  ConsumeOptions,
  Consumer,
  MessageRecord,
  StoredState,
  TurnFunction,
} from '../engine.js';
import type { Envelope } from '../envelope.js';
import { recordOf, type Entry, type Work } from '../drivers/memory/memory.entry.js';
import { MemoryEngine } from '../drivers/memory/memory.engine.js';
import type { MemoryQueue } from '../drivers/memory/memory.queue.js';
import type { MemoryOptions } from '../drivers/memory/memory.store.js';
import { LockLostError } from '../messaging.errors.js';
import { currentScope, isInTurn } from '../turn.scope.js';
import { Drain } from './drain.js';
import { plainDirection, type Direction, type TurnStep } from './direction.js';
import { owner, type VirtualClock } from './virtual.clock.js';

/** The memory engine in a test: messages start only while somebody drains it, and it remembers what was sent. */
export class TestEngine extends MemoryEngine {
  /** Replaces the turns of these types. */
  readonly standIns = new Map<string, TurnFunction>();
  /** Types that come in batches: their turns may wait for others. */
  readonly batched = new Set<string>();
  private readonly sent = new Map<string, Envelope>();
  private readonly abandoned = new WeakSet<Delivery>();
  private readonly labels = new Map<string, string>();
  private readonly numbers = new Map<string, number>();
  private readonly direction: Direction;
  private readonly drains: Drain;
  private isOpen = false;
  /** Grows whenever something happens. */
  progress = 0;

  constructor(
    options: MemoryOptions,
    override readonly clock: VirtualClock,
    readonly random: () => number,
    { direction = plainDirection, most }: { direction?: Direction; most?: number } = {},
  ) {
    super(options, clock);
    this.direction = direction;
    this.drains = new Drain(this, clock, most);
  }

  /**
   * Runs turns until no message is ready and no turn runs, or those that run wait for time to pass. @returns how many ended
   *
   * @param most turns, an endless chain ends with an error
   */
  drain(most?: number): Promise<number> {
    return this.drains.run(most);
  }

  override async send(envelopes: readonly Envelope[]): Promise<void> {
    const delivery = deliveryHere();
    if (delivery && this.abandoned.has(delivery)) return never();
    await super.send(envelopes);
    if (delivery) await this.pass('send', delivery);
    // Whoever asks, waits: nobody else would let the message start.
    if (envelopes.some(({ replyTo }) => replyTo !== undefined)) this.drains.begin();
  }

  override async close(): Promise<void> {
    this.drains.stop();
    await super.close();
    this.clock.clear();
  }

  override consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return super.consume(actor, options, (delivery) =>
      owner.run(delivery, () => {
        const run = this.standIns.get(delivery.envelope.type) ?? turn;
        return run(delivery);
      }),
    );
  }

  // ---- what the direction does

  /** Does the next thing, if there is one. */
  act(): boolean {
    return this.direction.act(this);
  }

  /** From now on nothing starts by itself. */
  shut(): void {
    this.isOpen = false;
  }

  startable(): Entry[] {
    const found: Entry[] = [];
    for (const queue of this.messages.queues.values()) found.push(...queue.startable());
    return found;
  }

  start(entry: Entry): void {
    const queue = this.messages.queue(entry.envelope.actor);
    queue.startOne(entry, (each, consumer) => consumer.start(this.messages.take(each)));
    this.progress++;
  }

  startAll(): void {
    this.isOpen = true;
    for (const queue of this.messages.queues.values()) this.stir(queue);
  }

  get working(): number {
    let sum = 0;
    for (const { working } of this.messages.queues.values()) sum += working;
    return sum;
  }

  works(): Work[] {
    return [...this.messages.queues.values()].flatMap((queue) => queue.works);
  }

  crash(isHeld: (delivery: Delivery) => boolean): void {
    const works = [...this.messages.queues.values()].flatMap((queue) => queue.abandon());
    for (const { delivery } of works) this.abandoned.add(delivery);
    this.messages.loseAll(works);
    this.progress++;
    const frozen = works.filter(({ delivery }) => isHeld(delivery));
    this.clock.forget(new Set(frozen.map(({ delivery }) => delivery)));
    // What is not at a step cannot be frozen: it learns what a process learns that comes back too late.
    for (const { delivery } of works) {
      if (!isHeld(delivery)) delivery.stop.abort(new LockLostError());
    }
  }

  /** A turn has come to a step. One of a process that died goes no further. */
  override pass(step: TurnStep, delivery: Delivery): Promise<void> | undefined {
    this.progress++;
    if (this.abandoned.has(delivery)) return never();
    if (step === 'committed') this.drains.count(delivery.envelope.type);
    return this.direction.pass(step, delivery);
  }

  protected override stir(queue: MemoryQueue): void {
    if (this.isOpen) super.stir(queue);
  }

  // ---- what a test sees

  /** Stored messages of a type, each id once, in the order first stored, as they were stored last. */
  sentOf(type: string): Envelope[] {
    const found = [...this.sent.values()].filter((envelope) => envelope.type === type);
    return structuredClone(found);
  }

  /** Dead letters in the order in which they died. */
  dead(): MessageRecord[] {
    return [...this.messages.queues.keys()]
      .flatMap((actor) => this.messages.queue(actor).letters.latest(Infinity))
      .sort((a, b) => (a.death ?? 0) - (b.death ?? 0))
      .map(recordOf);
  }

  stateOf(actor: string, key: string): StoredState | undefined {
    return structuredClone(this.messages.queue(actor).states.get(key));
  }

  /** `order.place #2`: the second message of its type. The same in each run, other than ids. */
  label({ id, type }: Envelope): string {
    return this.labels.get(id) ?? type;
  }

  protected override stored(entry: Entry): void {
    this.progress++;
    const { envelope } = entry;
    const { id, actor, type } = envelope;
    // Copies of one event are one message to whoever published it.
    const sentId = id.endsWith(`@${actor}`) ? id.slice(0, -actor.length - 1) : id;
    this.sent.set(sentId, envelope);
    if (this.labels.has(id)) return;
    const number = (this.numbers.get(type) ?? 0) + 1;
    this.numbers.set(type, number);
    this.labels.set(id, `${type} #${number}`);
  }

  protected override ended(entry: Entry): void {
    this.progress++;
    super.ended(entry);
  }
}

/** Whose turn this code runs in. Nobody can tell in a batch. */
function deliveryHere(): Delivery | undefined {
  if (!isInTurn()) return undefined;
  try {
    return currentScope()?.delivery;
  } catch {
    return undefined;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
