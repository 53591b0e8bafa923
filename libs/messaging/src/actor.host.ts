import { Inject, Injectable, Logger, Optional, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ActorBreaker } from './actor.breaker.js';
import { ActorValve } from './actor.valve.js';
import { exploreActors, type FoundActor, type FoundHandler } from './actor.explorer.js';
import { Batch } from './batch.js';
import { CHECKPOINT, RANDOM, type Checkpoint } from './checkpoint.js';
import { CLOCK, type Clock } from './clock.js';
import { DeadLetterAdded, deadLetterAdded } from './dead.letter.event.js';
import { ENGINE, type Engine } from './engine.js';
import type { Envelope } from './envelope.js';
import { EventLoop } from './event.loop.js';
import { Happenings } from './happenings.js';
import { HandlerPipeline } from './handler.pipeline.js';
import { MessageRegistry } from './message.registry.js';
import { DeclarationError } from './messaging.errors.js';
import { OPTIONS, type ResolvedOptions } from './messaging.options.js';
import { OBSERVER, unobserved, type Observer } from './observer.js';
import { Pauses, type Pause } from './pauses.js';
import { Router } from './routing/router.js';
import { Subscriptions } from './routing/subscriptions.js';
import { Suspects } from './suspects.js';
import { toTopicEvent } from './routing/topic.event.js';
import { TopicTrie } from './routing/topic.js';
import { seal } from './sealing.js';
import type { Turn } from './turn.js';
import { turnRunner, type Handler, type PlacedHandler, type Turns } from './turn.runner.js';

/** The actors that run in this process: finds and checks them, starts and stops their consumers. */
@Injectable()
export class ActorHost implements OnModuleInit {
  private readonly logger = new Logger('Callsheet');
  private found: FoundActor[] = [];
  private readonly valves = new Map<string, ActorValve>();
  private readonly breakers: ActorBreaker[] = [];
  private paused: ReadonlyMap<string, Pause> = new Map();
  private endWatch?: () => void;
  private trouble?: string;
  /** Whether it takes no more messages, for good. */
  isStopped = false;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly registry: MessageRegistry,
    private readonly pipeline: HandlerPipeline,
    private readonly router: Router,
    private readonly subscriptions: Subscriptions,
    private readonly pauses: Pauses,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(OPTIONS)
    private readonly options: Pick<ResolvedOptions, 'shutdownGrace' | 'lockDuration' | 'consume'>,
    private readonly loop: EventLoop,
    private readonly happenings: Happenings,
    @Optional() @Inject(OBSERVER) private readonly observer: Observer = unobserved,
    @Optional() @Inject(RANDOM) private readonly random: () => number = Math.random,
    @Optional() @Inject(CHECKPOINT) private readonly checkpoint?: Checkpoint,
  ) {}

  /** Runs before any other module's: wrong declarations stop the start, and the store is let go. */
  async onModuleInit(): Promise<void> {
    try {
      this.found = exploreActors(this.discovery, this.registry.all());
      for (const actor of this.found) {
        this.registry.addActor(actor.name);
        for (const { message, kind } of actor.handlers.values()) {
          // An event belongs to its topic, which need not be an actor.
          if (message) this.registry.add(message, kind === 'on' ? actor.name : message.meta.actor);
        }
      }
    } catch (error) {
      await this.engine.close();
      throw error;
    }
  }

  /** Whether the actors of this process take messages. */
  get consumes(): boolean {
    return this.options.consume;
  }

  /** The actors of this process. */
  actors(): readonly FoundActor[] {
    return this.found;
  }

  /** Starts taking messages. Called when every provider of the application is ready. */
  async start(): Promise<void> {
    try {
      await this.begin();
    } catch (error) {
      await this.stop();
      await this.engine.close();
      throw error;
    }
  }

  private async begin(): Promise<void> {
    for (const actor of this.found) this.requireSenders(actor);
    if (!this.consumes) return;
    this.warnOfUnhandled();
    // All subscriptions before the first turn: what it publishes must not miss an actor that is about to start.
    await this.subscriptions.start(this.found);
    // All handlers before the first turn: one that cannot be bound must not leave the others running.
    const bound = this.found.map((actor) => ({ actor, handlers: this.bindAll(actor) }));
    // The memory store, which alone has no queues, has no locks either, and dies with its process.
    const hasLocks = bound.length > 0 && this.engine.queue !== undefined;
    const suspects = hasLocks ? new Suspects(this.clock) : undefined;
    this.loop.start(hasLocks ? this.options.lockDuration : undefined);
    for (const { actor, handlers } of bound) this.prepare(actor, handlers, suspects);
    if (bound.length === 0) return;
    const end = await this.pauses.watch(
      (paused) => this.regulate(paused),
      (error) => this.complain(error.message),
    );
    if (this.isStopped) end();
    else this.endWatch = end;
  }

  /** Begins, stops and goes on taking the messages of each actor, as somebody has paused or resumed it. */
  private async regulate(paused: ReadonlyMap<string, Pause>): Promise<void> {
    const before = this.paused;
    this.paused = paused;
    for (const [name, valve] of this.valves) {
      const pause = paused.get(name);
      if (pause) valve.shut();
      if (pause && !before.has(name)) {
        this.logger.warn(`${name}: paused, in all processes: ${pause.reason}`);
      } else if (!pause && before.has(name)) {
        this.logger.log(`${name}: resumed, in all processes`);
      }
    }
    for (const [name, valve] of this.valves) if (!paused.has(name)) await valve.open();
    this.trouble = undefined;
  }

  /** The same once: it looks again every few seconds. */
  private complain(trouble: string): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.logger.warn(`pauses of actors could not be looked after: ${trouble}`);
  }

  /** Takes no more messages and lets the running turns end or hand back. Called before anything else is closed. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.subscriptions.stop();
    this.endWatch?.();
    for (const breaker of this.breakers.splice(0)) breaker.stop();
    const valves = [...this.valves.values()];
    this.valves.clear();
    if (valves.length > 0) {
      this.logger.log('stopping: no new messages, waiting for running turns');
      await Promise.all(valves.map((valve) => valve.stop(this.options.shutdownGrace)));
    }
    this.loop.stop();
  }

  private bindAll(actor: FoundActor): Pick<Turns, 'handlers' | 'patterns'> {
    const handlers = [...actor.handlers].map(
      ([type, each]) => [type, this.bind(actor, each)] as const,
    );
    const patterns = new TopicTrie<PlacedHandler>();
    for (const [place, [pattern, each]] of [...actor.patterns].entries()) {
      patterns.add(pattern, { place, handler: this.bind(actor, each) });
    }
    return { handlers: new Map(handlers), ...(actor.patterns.size > 0 && { patterns }) };
  }

  /** All that it takes to consume the messages of an actor. */
  private prepare(
    actor: FoundActor,
    bound: Pick<Turns, 'handlers' | 'patterns'>,
    suspects: Suspects | undefined,
  ): void {
    const { name, concurrency, reserved, rateLimit, aging, mailbox, handlers, retry, supervision } =
      actor;
    const { state, journal } = actor;
    const breaker = new ActorBreaker(name, actor.pause, concurrency, this.clock, (to) =>
      this.happenings.tell('actor', () => ({ ...to, actor: name })),
    );
    const turns: Turns = {
      ...bound,
      metaOf: (type) => (this.registry.has(type) ? this.registry.get(type).meta : undefined),
      retry,
      supervision,
      ...(state && { state }),
      journal,
      breaker,
      clock: this.clock,
      random: this.random,
      hasSql: this.engine.store.sql,
      observer: this.observer,
      ...(suspects && { suspects }),
      ...(this.checkpoint && { checkpoint: this.checkpoint }),
      mourn: async (delivery, outcome) =>
        this.mourn(deadLetterAdded(delivery, outcome), delivery.envelope),
    };
    const reads = [...handlers].filter(([, { kind }]) => kind === 'read').map(([type]) => type);
    const options = {
      concurrency,
      reserved,
      ...(rateLimit && { rateLimit }),
      ...(aging !== undefined && { aging }),
      // Whatever an earlier release has declared.
      mailbox: mailbox ?? Infinity,
      reads: new Set(reads),
    };
    const run = turnRunner(turns);
    const valve = new ActorValve(concurrency, () => this.engine.consume(name, options, run));
    this.valves.set(name, valve);
    this.breakers.push(breaker);
    breaker.attach(valve);
  }

  private bind({ wrapper }: FoundActor, found: FoundHandler): Handler {
    const { kind, message, verb, pattern, method, timeout, batch } = found;
    const run = this.pipeline.create(wrapper, method, message);
    const open = verb?.open ?? pattern?.open ?? (pattern && toTopicEvent);
    return {
      kind,
      message,
      ...(open && { open }),
      run,
      ...(timeout !== undefined && { timeout }),
      ...(batch && {
        // Guards and interceptors see the list of messages once.
        batch: new Batch(
          batch,
          (messages, turns) => run(messages, turns as unknown as Turn),
          this.clock,
        ),
      }),
    };
  }

  /** What tells of a dead letter, one copy for each subscriber; nothing tells of the death of such a copy. */
  private async mourn(
    event: DeadLetterAdded,
    { id, type, correlationId, traceparent, tracestate, tenant }: Envelope,
  ): Promise<Envelope[]> {
    if (type === DeadLetterAdded.meta.type) return [];
    const envelope = {
      ...seal(event, { ...(tenant !== undefined && { tenant }) }, { now: this.clock.now() }, ''),
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
      correlationId: correlationId ?? id,
      causationId: id,
    };
    return this.router.copies(envelope);
  }

  /** On a shared store another process may run the actor; on others its messages would wait for ever. */
  private warnOfUnhandled(): void {
    if (this.engine.store.shared || this.found.length === 0) return;
    const handled = new Set(this.found.flatMap(({ handlers }) => [...handlers.keys()]));
    const names = new Set(this.found.map(({ name }) => name));
    for (const { meta } of this.registry.all()) {
      if (names.has(meta.actor) || handled.has(meta.type)) continue;
      this.logger.warn(
        `no actor here handles '${meta.type}', and no other process can: it would wait`,
      );
    }
  }

  /** Without the actor that sends them messages would never come, and nobody would know. */
  private requireSenders({ handlers }: FoundActor): void {
    for (const [type, { verb }] of handlers) {
      const sender = verb?.sentBy;
      if (sender === undefined || this.found.some(({ name }) => name === sender)) continue;
      throw new DeclarationError(
        `'${type}' is sent by the actor '${sender}', which is not here: import SchedulerModule`,
      );
    }
  }
}
