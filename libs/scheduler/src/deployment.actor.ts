import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  isMissed,
  Keys,
  Message,
  MOST_RELEASES,
  prevails,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ScheduleActor } from './schedule.actor.js';
import { PutSchedule, RemoveSchedule } from './schedule.messages.js';
import { latestDefinition, scheduleDefinition } from './schedule.state.js';

/** How long a release that somebody has put in force may take until a process of it is there, ms. */
const FORCED = 600_000;

const declared = z.object({ id: z.string(), definition: scheduleDefinition });
export type DeclaredSchedule = z.infer<typeof declared>;
const release = z.object({ id: z.string(), seenAt: z.number() });

/** Which release of an actor's code says what schedules there are. */
const deploymentState = z.object({
  /** Id of the release whose schedules are in force: a digest of them. */
  current: z.string().optional(),
  /** What it declares. */
  schedules: z.array(declared).default([]),
  releases: z.array(release).default([]),
  /** When somebody decided that the current one is to be in force; until a process of it was there. */
  forcedAt: z.number().optional(),
});
export type DeploymentState = z.infer<typeof deploymentState>;

/** As it is stored. What somebody has written over it is declared anew. */
const storedDeployment = z.unknown().transform((stored): DeploymentState => {
  return deploymentState.safeParse(stored).data ?? deploymentState.parse({});
});

/** A process says which schedules its release of an actor declares. */
export class DeclareSchedules extends Message(
  'schedule-deployments.declare',
  z.object({
    /** Name of the actor. */
    actor: z.string(),
    release: z.string(),
    schedules: z.array(declared),
    /** Processes of this release have been there before, whatever it declares. */
    isKnown: z.boolean().optional(),
    /** The release that was in force, and of which nobody is there any more. */
    gone: z.string().optional(),
    /** Somebody has decided that this release is the one. */
    isForced: z.boolean().optional(),
  }),
  { key: 'actor' },
) {}

/** A process says that a release of an actor is there. */
export class ReleasePresent extends Message(
  'schedule-deployments.present',
  z.object({ actor: z.string(), release: z.string() }),
  { key: 'actor' },
) {}

/**
 * Keeps the stored schedules of an actor as one release of its code declares them: the one that came last. An older release that is
 * started again beside it, as while workers are exchanged one by one, changes nothing; when no process of the newer one has
 * been there for 30 s, the older one is in force again.
 */
@Actor({
  state: { schema: storedDeployment, maxBytes: 1024 * 1024 },
  retry: { attempts: 20, max: '1m' },
})
export class DeploymentActor {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    @Inject(ENGINE) private readonly engine: Engine,
  ) {}

  @Handle(DeclareSchedules)
  async declare(
    declaration: DeclareSchedules,
    { state, now }: Turn<typeof storedDeployment>,
  ): Promise<void> {
    const { actor, release: id, schedules, isForced } = declaration;
    // Who else could be there, where one process has the store alone?
    const wins = !this.engine.store.shared || comesIntoForce(declaration, state, now.getTime());
    see(id, state, now.getTime());
    if (!wins) return;
    state.forcedAt = isForced ? now.getTime() : undefined;
    const names = new Set(schedules.map((each) => each.id));
    for (const { id: key } of state.schedules.filter((each) => !names.has(each.id))) {
      await this.actors.tell(new RemoveSchedule({ key, owner: actor }), { priority: 'high' });
    }
    for (const each of schedules) await this.put(each);
    state.current = id;
    state.schedules = [...schedules];
  }

  @Handle(ReleasePresent)
  async present(
    { release: id }: ReleasePresent,
    { state, now }: Turn<typeof storedDeployment>,
  ): Promise<void> {
    see(id, state, now.getTime());
    if (id !== state.current) return;
    state.forcedAt = undefined;
    // Whatever has become of them meanwhile.
    for (const each of state.schedules) {
      const state = await this.keys.state(ScheduleActor, each.id);
      const stored = state && latestDefinition(state);
      if (isDeepStrictEqual(stored, each.definition)) continue;
      await this.put(each, stored ? 'it was not as it is declared' : 'its state was gone');
    }
  }

  private async put({ id: key, definition }: DeclaredSchedule, problem?: string): Promise<void> {
    const put = new PutSchedule({ key, definition, ...(problem !== undefined && { problem }) });
    await this.actors.tell(put, { priority: 'high' });
  }
}

function comesIntoForce(
  { release: id, isForced, isKnown, gone }: DeclareSchedules,
  state: DeploymentState,
  now: number,
): boolean {
  const { current, forcedAt = -Infinity } = state;
  if (isForced || current === undefined || current === id) return true;
  if (forcedAt > now - FORCED) return false;
  if (gone === current && isMissed(state, now)) return true;
  return !isKnown && prevails(id, state);
}

function see(id: string, state: DeploymentState, now: number): void {
  const others = state.releases.filter((each) => each.id !== id);
  state.releases = [...others, { id, seenAt: now }].slice(-MOST_RELEASES);
}
