import { Inject, Injectable, Optional } from '@nestjs/common';
import { ActorRef } from './actor.ref.js';
import { CLOCK, type Clock } from './clock.js';
import { toMilliseconds, type Duration } from './duration.js';
import {
  ENGINE,
  type Cancellation,
  type Engine,
  type StoreInfo,
  type Transaction,
} from './engine.js';
import { copyId, type Envelope } from './envelope.js';
import { isMessage, metaOf, openReply, type MessageInstance, type ReplyOf } from './message.js';
import { MessageRegistry } from './message.registry.js';
import { OptionError, TurnUsageError } from './messaging.errors.js';
import { OBSERVER, unobserved, type Observer } from './observer.js';
import { ReplyInbox } from './reply.inbox.js';
import { checkedNeed, gather, type GatherOptions, type Gathering } from './routing/gathering.js';
import { UNROUTED } from './routing/own.actors.js';
import { Router } from './routing/router.js';
import { unroutedCopy } from './routing/unrouted.js';
import { unsealed, type SealedMessage } from './sealed.message.js';
import {
  checkedText,
  FORWARD,
  GATHER,
  PUBLISH,
  seal,
  sealParts,
  SEND,
  TELL,
  type ForwardOptions,
  type Origin,
  type PublishOptions,
  type SendOptions,
  type TellOptions,
} from './sealing.js';
import {
  currentScope,
  currentTurn,
  isInTurn,
  requireWriter,
  type TurnScope,
} from './turn.scope.js';

/** Options of {@link Actors.ask}. */
export interface AskOptions extends SendOptions {
  /** How long to wait for the reply. Default '30s'. */
  timeout?: Duration;
  /** Stops waiting when it aborts; the message itself goes on, `cancel` ends it. */
  signal?: AbortSignal;
}

/** Proof that a message is stored. */
export interface Receipt {
  /** The message's id: the sender's own, else generated. */
  id: string;
  /** 'pending': sent inside a handler, stored when its turn commits. */
  state: 'waiting' | 'delayed' | 'pending';
  /** What the stored message survives. */
  durability: StoreInfo['durability'];
}

/** Whom an event reached. */
export interface Publication {
  id: string;
  /** The actors that get a copy, sorted; empty when nobody subscribes. */
  receivers: readonly string[];
  /** Ids of the copies, in the same order: what `cancel` and look-ups take. */
  copies: readonly string[];
  /** Id of the copy that is kept because nobody receives the event. */
  kept?: string;
}

/** One element of {@link Actors.tellMany}: a message, or a message with its options. */
export type Telling =
  MessageInstance | { message: MessageInstance; options: Omit<TellOptions, 'now' | 'tx'> };

/** The most messages one {@link Actors.tellMany} takes. */
export const MAX_BATCH = 1_000;

const ASK_IN_TURN =
  'ask inside a turn would hold its message, and its key, while it waits, and two that ask each other wait for ever: tell() instead, and handle the answer as a message';

/** The id of a copy is that of its event and the name of its subscriber. */
const LONGEST_EVENT_ID = 136;

/**
 * Sends messages to actors. Inject it anywhere. Inside a handler sends join the turn: they are stored in one step with the
 * end of its message, or not at all.
 */
@Injectable()
export class Actors {
  private readonly observer: Observer;

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly registry: MessageRegistry,
    private readonly inbox: ReplyInbox,
    private readonly router: Router,
    @Optional() @Inject(OBSERVER) observer?: Observer,
  ) {
    this.observer = observer ?? unobserved;
  }

  /**
   * Sends a message and forgets it. Resolves when the store has it; inside a handler, when it has joined the turn.
   *
   * @throws OptionError for a bad option
   * @throws IdempotencyConflictError when `id` was used for another body; inside a handler the turn fails with it instead
   * @throws MessageActiveError when the message to `replace` is in work
   * @throws UnknownOutcomeError when the store did not answer: sending again with the same `id` is safe
   * @throws TurnEndedError, TurnUsageError when the turn is over, only reads, or is one of a batch
   */
  async tell(message: MessageInstance, options: TellOptions = {}): Promise<Receipt> {
    const scope = this.scopeFor(options);
    const envelope = this.seal(message, options, '');
    await this.send([envelope], scope, options.tx);
    return this.receipt(envelope, scope);
  }

  /**
   * Sends up to 1,000 messages: all of them or none. Receipts come in the order given.
   *
   * @throws OptionError whose path begins with the index of the bad element
   * @throws whatever {@link tell} throws
   */
  async tellMany(
    tellings: readonly Telling[],
    options: Pick<TellOptions, 'now' | 'tx'> = {},
  ): Promise<Receipt[]> {
    if (tellings.length > MAX_BATCH) {
      throw new OptionError('messages', `must be at most ${MAX_BATCH}, got ${tellings.length}`);
    }
    const scope = this.scopeFor(options);
    const envelopes = tellings.map((telling, index) => {
      const { message, options: own = {} } = isPair(telling) ? telling : { message: telling };
      for (const name of ['now', 'tx']) {
        if (!own || !(name in own)) continue;
        const advice = `is for all of them: tellMany(messages, { ${name} })`;
        throw new OptionError(`${index}.${name}`, advice);
      }
      return this.seal(message, own, `${index}.`);
    });
    if (envelopes.length > 0) await this.send(envelopes, scope, options.tx);
    return envelopes.map((envelope) => this.receipt(envelope, scope));
  }

  /**
   * Sends a message and waits for the reply. With an `id` that was asked before it waits for the reply of that one.
   *
   * @throws AskTimeoutError when none came in time: the outcome is unknown
   * @throws AskFailedError when the message became a dead letter; its `error.code` is that of what the handler threw
   * @throws CancelledError when somebody cancelled it
   * @throws TurnUsageError inside a handler
   * @throws whatever {@link tell} throws
   */
  async ask<M extends MessageInstance>(message: M, options: AskOptions = {}): Promise<ReplyOf<M>> {
    if (isInTurn()) {
      throw new TurnUsageError(ASK_IN_TURN);
    }
    const { timeout: given = '30s', signal, ...rest } = options;
    const timeout = toMilliseconds(given, 'timeout');
    const meta = metaOf(message, 'message');
    const envelope = this.seal(message, rest, '', SEND);
    const { id, actor } = envelope;
    const record = await this.inbox.ended(
      { id, actor, timeout, ...(signal && { signal }) },
      (replyTo) => this.send([{ ...envelope, replyTo }], undefined, undefined),
    );
    return (record.reply && openReply(meta, record.reply)) as ReplyOf<M>;
  }

  /**
   * Sends a copy of an event to every actor that subscribes to it and wherever stored routes lead it, all or none, each with its
   * own retries and dead letters. When that is nobody nothing is stored, unless `unrouted` says so, and `receivers` is empty.
   *
   * @throws whatever {@link tell} throws
   */
  async publish(event: MessageInstance, options: PublishOptions = {}): Promise<Publication> {
    const scope = this.scopeFor(options);
    const envelope = this.sealEvent(event, options, PUBLISH);
    const copies = await this.router.copies(envelope);
    const isKept = copies.length === 0 && options.unrouted === 'keep';
    const sends = isKept ? [unroutedCopy(envelope)] : copies;
    if (sends.length > 0) await this.send(sends, scope, options.tx);
    return {
      id: envelope.id,
      receivers: copies.map(({ actor }) => actor),
      copies: copies.map(({ id }) => id),
      ...(isKept && { kept: copyId(envelope.id, UNROUTED) }),
    };
  }

  /**
   * Publishes an event that declares a reply, and gathers what those who receive it answer: until as many as needed have, or
   * every one has ended, or the time is up. What has not answered by then goes on, and its outcome is unknown.
   *
   * @throws TurnUsageError inside a handler
   * @throws StoppingError when the application closes, and the reason of an aborted signal
   * @throws whatever {@link tell} throws
   */
  async gather<M extends MessageInstance>(
    event: M,
    options: GatherOptions = {},
  ): Promise<Gathering<ReplyOf<M>>> {
    if (isInTurn()) throw new TurnUsageError(ASK_IN_TURN);
    const { timeout: given = '30s', signal, need, ...rest } = options;
    const timeout = toMilliseconds(given, 'timeout');
    const checked = checkedNeed(need);
    const meta = metaOf(event, 'message');
    if (!meta.reply) throw new OptionError('message', 'declares no reply: publish() it');
    const envelope = this.sealEvent(event, rest, GATHER);
    const copies = await this.router.copies(envelope);
    return gather(this.inbox, copies, {
      ...{ id: envelope.id, need: checked, timeout, signal },
      send: (replyTo) => {
        const asked = copies.map((copy) => ({ ...copy, replyTo }));
        return this.send(asked, undefined, undefined);
      },
      open: (reply) => openReply(meta, reply) as ReplyOf<M>,
    });
  }

  /**
   * Sends a message that was sealed before, as {@link tell} does, and may say of which occurrence of a schedule it is, and who
   * is told of its end. Its class need not be known here. For schedulers and the like, which keep messages.
   *
   * @throws OptionError for what is no sealed message, too
   * @throws whatever {@link tell} throws
   */
  async forward(sealed: SealedMessage, options: ForwardOptions = {}): Promise<Receipt> {
    const scope = this.scopeFor(options);
    const envelope = sealParts(unsealed(sealed), options, this.origin(), '', FORWARD);
    await this.send([envelope], scope, options.tx);
    return this.receipt(envelope, scope);
  }

  /**
   * Cancels a message by its id: one that has not started never will; one in work, in whatever process, is told to stop
   * through its turn's signal, and is not tried again. Whether in or outside of a handler, at once.
   */
  async cancel(id: string): Promise<Cancellation> {
    return this.engine.cancel(checkedText(id, 'id'), this.registry.actors());
  }

  /** One instance of an actor, by its key: `actors.ref('a-1').tell(Deposit, { amount: 10 })`. */
  ref(key: string | number): ActorRef {
    return new ActorRef(this, typeof key === 'number' ? key : checkedText(key, 'key'));
  }

  /** The turn that a send joins. */
  private scopeFor(options: Pick<TellOptions, 'now' | 'tx'>): TurnScope | undefined {
    requireWriter();
    if (options?.tx !== undefined) this.requireTransaction(options.tx);
    if (options?.now === true) return undefined;
    const scope = currentScope();
    scope?.require();
    if (scope && options?.tx !== undefined) {
      throw new OptionError(
        'tx',
        'is not for handlers: what they send joins the commit of their turn',
      );
    }
    return scope;
  }

  private requireTransaction(tx: Transaction): void {
    if (typeof (tx as Partial<Transaction> | null)?.query !== 'function') {
      throw new OptionError('tx', 'must be a client with a transaction: something with query()');
    }
    if (this.engine.store.sql) return;
    throw new OptionError(
      'tx',
      `needs PostgreSQL or PGlite, and the store is ${this.engine.store.name}`,
    );
  }

  private sealEvent(
    event: MessageInstance,
    options: PublishOptions,
    allowed: ReadonlySet<string>,
  ): Envelope {
    const envelope = this.seal(event, options, '', allowed);
    if (envelope.id.length <= LONGEST_EVENT_ID) return envelope;
    throw new OptionError('id', `of an event must be at most ${LONGEST_EVENT_ID} characters`);
  }

  private seal(
    message: MessageInstance,
    options: TellOptions & PublishOptions,
    path: string,
    allowed: ReadonlySet<string> = TELL,
  ): Envelope {
    return seal(message, options, this.origin(), path, allowed);
  }

  private origin(): Origin {
    const turn = currentTurn();
    return { now: this.clock.now(), ...(turn && { turn }) };
  }

  private async send(
    envelopes: readonly Envelope[],
    scope: TurnScope | undefined,
    tx: Transaction | undefined,
  ): Promise<void> {
    // What this process sends it can look up and cancel.
    for (const { actor } of envelopes) this.registry.addActor(actor);
    const store = () => (scope ? scope.join(envelopes) : this.engine.send(envelopes, tx));
    await this.observer.send(envelopes, store, scope?.delivery);
  }

  private receipt({ id, dueAt }: Envelope, scope: TurnScope | undefined): Receipt {
    return {
      id,
      state: scope ? 'pending' : dueAt === undefined ? 'waiting' : 'delayed',
      durability: this.engine.store.durability,
    };
  }
}

/** A message may itself have fields of these names. */
function isPair(telling: Telling): telling is Exclude<Telling, MessageInstance> {
  return typeof telling === 'object' && telling !== null && !isMessage(telling);
}
