import type { ActorHost } from '../actor.host.js';
import { MAX_DURATION } from '../duration.js';
import type { Delivery, Outcome } from '../engine.js';
import type { Json } from '../json.js';
import type { MessageClass, MessageInstance } from '../message.js';
import { unobserved } from '../observer.js';
import { ownerOf } from '../routing/actor.binding.js';
import type { Router } from '../routing/router.js';
import type { Subscription } from '../routing/route.js';
import { turnRunner } from '../turn.runner.js';
import { Probe } from './probe.js';
import type { TestEngine } from './test.engine.js';

/** The actor that gets probed events to which nobody subscribes. */
const EVENTS = 'callsheet-probe';

/** The probes of one application. */
export class Probes {
  private readonly probes = new Map<string, unknown>();
  private readonly actors = new Set<string>();
  private readonly events: Subscription[] = [];

  constructor(
    private readonly engine: TestEngine,
    private readonly host: ActorHost,
    private readonly router: Router,
  ) {}

  /** The probe of a message, set up when it is asked for first. */
  of<M extends MessageInstance>(message: MessageClass<M, never>): Probe<M> {
    const { type, actor } = message.meta;
    const known = this.probes.get(type);
    if (known) return known as Probe<M>;
    const probe = new Probe<M>(type, this.engine);
    this.probes.set(type, probe);
    this.engine.standIns.set(type, (delivery) => this.handle(probe, message, delivery));
    this.fill(actor);
    this.fill(EVENTS);
    void this.subscribe(type);
    return probe;
  }

  /** With the supervision and the retries of the actor that it stands in for, where there is one. */
  private handle<M extends MessageInstance>(
    probe: Probe<M>,
    message: MessageClass<M, never>,
    delivery: Delivery,
  ): Promise<Outcome> {
    const { actor, type } = delivery.envelope;
    const found = this.host.actors().find(({ name }) => name === actor);
    const run = turnRunner({
      handlers: new Map([
        [
          type,
          {
            kind: 'handle',
            message: message as unknown as MessageClass,
            run: (given) => probe.handle(given as M),
          },
        ],
      ]),
      retry: found?.retry ?? {},
      supervision: found?.supervision ?? [],
      clock: this.engine.clock,
      random: this.engine.random,
      observer: unobserved,
    });
    return run(delivery);
  }

  /** Takes the messages of an actor that is not there. Those without a probe wait on. */
  private fill(actor: string): void {
    if (this.actors.has(actor) || this.host.actors().some(({ name }) => name === actor)) return;
    this.actors.add(actor);
    void this.engine.consume(actor, { concurrency: 1_000 }, () =>
      Promise.resolve({ kind: 'release', delay: MAX_DURATION }),
    );
  }

  private async subscribe(type: string): Promise<void> {
    const subscribers = await this.router.subscribers();
    const bound = subscribers.flatMap(({ subscriptions }) => subscriptions);
    if (bound.some((each) => each.type === type)) return;
    this.events.push({ type });
    await this.router.bind(ownerOf(EVENTS), this.events as unknown as Json);
  }
}
