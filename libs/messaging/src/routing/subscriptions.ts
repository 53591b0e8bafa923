import { Inject, Injectable, Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { CLOCK, type Clock } from '../clock.js';
import { ENGINE, type Engine } from '../engine.js';
import { fingerprintOf } from '../envelope.js';
import type { Json } from '../json.js';
import {
  isKnown,
  KnownInForce,
  prevails,
  RELEASE_BEAT,
  ReleaseWatch,
  type Standing,
} from '../release.js';
import { actorBindingOf, ownerOf } from './actor.binding.js';
import type { Subscription } from './route.js';
import { Router } from './router.js';

/** What the code of an actor of this process subscribes to. */
interface Declared {
  readonly name: string;
  readonly release: string;
  readonly subscriptions: readonly Subscription[];
}

/** What is known of an actor at one moment. */
interface Look extends Standing {
  readonly bound: Json | undefined;
  /** Of what is in force. */
  readonly revision: number;
  readonly now: number;
}

/**
 * Keeps what is stored of the subscriptions of actors as one release of their code declares them: the one that came last. An older
 * one that is started again beside it, as while workers are exchanged one by one, changes nothing; when no process of the newer
 * one has been there for 30 s, the older one is in force again.
 */
@Injectable()
export class Subscriptions {
  private readonly logger = new Logger('Callsheet');
  private readonly watch = new ReleaseWatch();
  private declared: readonly Declared[] = [];
  private readonly inForce = new KnownInForce();
  private cancelBeat?: () => void;

  constructor(
    private readonly router: Router,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Declares what these actors subscribe to, and keeps it so. Resolves when every process goes by what is in force. */
  async start(actors: readonly Pick<Declared, 'name' | 'subscriptions'>[]): Promise<void> {
    this.declared = actors.map(({ name, subscriptions }) => {
      return { name, subscriptions, release: fingerprintOf(subscriptions) };
    });
    await this.each(async (declared, look) => {
      if (prevails(declared.release, look)) await this.bind(declared, look);
    });
    // Nobody but this process can touch a store that is not shared.
    if (this.engine.store.shared && actors.length > 0) this.beat();
  }

  /** Whether an actor of this process is one that subscribes. */
  has(actor: string): boolean {
    return this.declared.some(
      ({ name, subscriptions }) => name === actor && subscriptions.length > 0,
    );
  }

  stop(): void {
    this.declared = [];
    this.cancelBeat?.();
  }

  /** Says that the releases of this process are there, and puts right what is stored. Done now and then. */
  async keepUp(): Promise<void> {
    await this.each(async (declared, look) => {
      const { name, release } = declared;
      const isOurs = look.current === undefined || look.current === release;
      if (isOurs || this.watch.isGone(name, look, look.now)) await this.bind(declared, look);
    });
  }

  private beat(): void {
    this.cancelBeat = this.clock.after(RELEASE_BEAT, () => void this.keepUpAndGoOn());
  }

  private async keepUpAndGoOn(): Promise<void> {
    try {
      await this.keepUp();
    } catch (error) {
      this.logger.debug(`subscriptions could not be looked after: ${(error as Error).message}`);
    }
    if (this.declared.length > 0) this.beat();
  }

  private async each(work: (declared: Declared, look: Look) => Promise<void>): Promise<void> {
    await Promise.all(
      this.declared.map(async (declared) => {
        const { name, release } = declared;
        await work(declared, await this.look(name));
        // Not before: the release of a process that dies half-way must not be a known one that never was in force.
        if (this.engine.store.shared) await this.engine.present(name, release);
      }),
    );
  }

  private async look(name: string): Promise<Look> {
    const bound = await this.engine.bound(ownerOf(name));
    const { release, revision } = actorBindingOf(bound);
    // Where somebody has removed it, those whose it was put it back.
    const known = this.inForce.hear(name, release === undefined ? release : { release, revision });
    const look = {
      bound,
      current: known?.release,
      revision: Math.max(revision, known?.revision ?? 0),
    };
    if (this.engine.store.shared) return { ...look, ...(await this.engine.releases(name)) };
    return { ...look, releases: [], now: this.clock.now() };
  }

  private async bind(
    { name, release, subscriptions }: Declared,
    { bound, current, revision: before, releases }: Look,
  ): Promise<void> {
    // An actor that subscribes to nothing needs no place in the table but to take that of another release.
    if (bound === undefined && subscriptions.length === 0) return;
    // Whoever is late changes nothing of what came meanwhile; of two at once a new release is the later one.
    const step = current === release ? 0 : isKnown(release, releases) ? 1 : 2;
    const revision = before + step;
    const value = { revision, release, subscriptions } as unknown as Json;
    if (!isDeepStrictEqual(value, bound)) await this.router.bind(ownerOf(name), value);
    this.inForce.hear(name, { release, revision });
  }
}
