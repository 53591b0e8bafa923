import {
  ActorHost,
  Actors,
  CLOCK,
  DeclarationError,
  ENGINE,
  fingerprintOf,
  isKnown,
  Keys,
  KnownInForce,
  RELEASE_BEAT,
  ReleaseWatch,
  type Clock,
  type Engine,
} from '@callsheet/messaging';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isDeepStrictEqual } from 'node:util';
import {
  DeclareSchedules,
  DeploymentActor,
  ReleasePresent,
  type DeclaredSchedule,
} from './deployment.actor.js';
import { tzdataProblems } from './rule/index.js';
import { declarationsOf, toDeclared, type InjectedOptions } from './schedule.decorators.js';
import { ScheduleActor } from './schedule.actor.js';
import { latestDefinition } from './schedule.state.js';
import { SCHEDULER_OPTIONS, type ResolvedSchedulerOptions } from './scheduler.options.js';
import { DEPLOYMENTS } from './timer.js';
import { LookAfterSchedules, PARTS } from './watchdog.actor.js';

/** What declaring the schedules of this process would do to a stored one. */
export interface PlannedChange {
  /** 'adopt': it was made over the API, and is declared in code from now on. */
  change: 'create' | 'update' | 'adopt' | 'remove' | 'keep';
  id: string;
  actor: string;
}

/** Schedules that the code of one actor declares. */
interface Release {
  actor: string;
  id: string;
  schedules: DeclaredSchedule[];
}

/** The schedules that are declared in the code of this process: makes the stored ones equal to them, and keeps them so. */
@Injectable()
export class Deployments implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Callsheet');
  private releases: Release[] = [];
  private beat: NodeJS.Timeout | undefined;
  private readonly watch = new ReleaseWatch();
  private readonly inForce = new KnownInForce();

  constructor(
    private readonly host: ActorHost,
    private readonly actors: Actors,
    private readonly keys: Keys,
    private readonly modules: ModuleRef,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SCHEDULER_OPTIONS) private readonly options: ResolvedSchedulerOptions,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.releases = this.host.actors().map(({ name, target }) => {
      const schedules = this.declaredBy(name, target);
      return { actor: name, id: fingerprintOf(schedules), schedules };
    });
    requireUnique(this.releases);
    this.warnOfZones();
    if (!this.host.consumes) return;
    if (this.isOurs) {
      await this.apply();
      for (const release of this.releases) await this.note(release);
    }
    // Nobody but this process can touch the memory store.
    if (this.engine.queue === undefined) return;
    this.beat = setInterval(() => void this.keepUp(), RELEASE_BEAT);
    this.beat.unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.beat);
  }

  /** What {@link apply} would change, by id. */
  async plan(): Promise<PlannedChange[]> {
    const changes: PlannedChange[] = [];
    for (const { actor, schedules } of this.releases) {
      const stored = await this.keys.state(DeploymentActor, actor);
      const names = new Set(schedules.map(({ id }) => id));
      for (const { id } of stored?.schedules ?? []) {
        if (!names.has(id)) changes.push({ change: 'remove', id, actor });
      }
      for (const { id, definition } of schedules) {
        const known = await this.keys.state(ScheduleActor, id);
        const current = known && latestDefinition(known);
        const change = !current
          ? 'create'
          : isDeepStrictEqual(current, definition)
            ? 'keep'
            : current.owner === undefined
              ? 'adopt'
              : 'update';
        changes.push({ change, id, actor });
      }
    }
    return changes.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Declares the schedules of this process. A release that another one has replaced is not put back.
   *
   * @param isForced put back all the same
   */
  async apply(isForced = false): Promise<void> {
    for (const release of this.releases) {
      const isStored = await this.engine.state(DEPLOYMENTS, release.actor);
      if (release.schedules.length === 0 && !isStored) continue;
      await this.declare(release, isForced ? { isForced } : {});
    }
  }

  /** Whether this process declares by itself. */
  private get isOurs(): boolean {
    return this.options.apply === 'start';
  }

  private async declare(
    { actor, id, schedules }: Release,
    why: Pick<DeclareSchedules, 'isForced' | 'isKnown' | 'gone'>,
  ): Promise<void> {
    const { releases } = await this.engine.releases(sightedAs(actor));
    const message = new DeclareSchedules({
      actor,
      release: id,
      schedules,
      isKnown: isKnown(id, releases),
      ...why,
    });
    await this.actors.tell(message, { priority: 'high' });
  }

  /**
   * Notes that a release is there, also one without schedules: else it would be new when it starts again beside the one with
   * the first. After it was declared: the release of a process that dies half-way must not be a known one that never was in force.
   */
  private async note({ actor, id }: Release): Promise<void> {
    if (this.engine.store.shared) await this.engine.present(sightedAs(actor), id);
  }

  /** Says that it is there, and has the schedules looked after: once in a while for all processes together. */
  private async keepUp(): Promise<void> {
    // What it says while it waits for its running turns, nobody may hear in time: that would be dead letters.
    if (this.host.isStopped) return;
    const slot = Math.floor(this.clock.now() / RELEASE_BEAT);
    try {
      await this.actors.tell(new LookAfterSchedules({ part: slot % PARTS }), {
        id: `schedules-look:${slot}`,
        priority: 'high',
      });
      for (const release of this.releases) {
        await this.keepRelease(release, slot);
        if (this.isOurs) await this.note(release);
      }
    } catch (error) {
      this.logger.debug(`schedules could not be looked after: ${(error as Error).message}`);
    }
  }

  private async keepRelease(release: Release, slot: number): Promise<void> {
    const { actor, id, schedules } = release;
    const stored = await this.engine.state(DEPLOYMENTS, actor);
    const state = stored && (await this.keys.state(DeploymentActor, actor));
    const inStore =
      stored && state?.current !== undefined
        ? { release: state.current, revision: stored.revision }
        : undefined;
    // Where somebody has emptied the store, or written over it, those whose it was put it back.
    const current = this.inForce.hear(actor, inStore)?.release;
    if (current === id && state?.current === id) {
      await this.actors.tell(new ReleasePresent({ actor, release: id }), {
        id: `schedules-present:${actor}:${id}:${slot}`,
        priority: 'high',
        ttl: RELEASE_BEAT,
      });
      return;
    }
    if (!this.isOurs || (!stored && schedules.length === 0)) return;
    const standing = { current, releases: state?.releases ?? [] };
    if (current === id) await this.declare(release, { isKnown: false });
    else if (current === undefined) await this.declare(release, {});
    else if (this.watch.isGone(actor, standing, this.clock.now())) {
      await this.declare(release, { gone: current });
    } else return;
    this.inForce.forget(actor);
  }

  /** Zone data comes with Node, and laws change: better known at start than by an hour that is wrong. */
  private warnOfZones(): void {
    const rules = this.releases.flatMap(({ schedules }) =>
      schedules.map(({ definition }) => definition.rule),
    );
    for (const zone of new Set(rules.map(({ tz }) => tz))) {
      for (const problem of tzdataProblems(zone)) this.logger.warn(problem);
    }
  }

  private declaredBy(actor: string, target: object): DeclaredSchedule[] {
    return declarationsOf(target).flatMap(({ method, path, options }) => {
      const type = `${actor}.${method}` as const;
      const given = 'use' in options ? this.injected(options) : options;
      const declared = given && toDeclared(type, given, path);
      if (!declared) return [];
      const { id, ...timing } = declared;
      const message = { type, actor, version: 1, data: {} };
      return [{ id, definition: { ...timing, message, isOccurrence: true, owner: actor } }];
    });
  }

  private injected({ inject, use }: InjectedOptions): ReturnType<InjectedOptions['use']> {
    const providers = inject.map((token) => this.modules.get(token as never, { strict: false }));
    return use(...(providers as unknown[]));
  }
}

/** Under which name it is noted in the store which releases of an actor's schedules are there. */
function sightedAs(actor: string): string {
  return `schedules:${actor}`;
}

/** @throws DeclarationError for two schedules of one id: the second would take the place of the first */
function requireUnique(releases: readonly Release[]): void {
  const known = new Map<string, string>();
  for (const { actor, schedules } of releases) {
    for (const { id, definition } of schedules) {
      const other = known.get(id);
      if (other !== undefined) {
        throw new DeclarationError(
          `two schedules have the id '${id}': ${other} and ${definition.message.type}; give one of them another name`,
        );
      }
      known.set(id, `${actor}, ${definition.message.type}`);
    }
  }
}
