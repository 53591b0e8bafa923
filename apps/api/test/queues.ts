import { ENGINE, MessageRegistry, type Engine } from '@callsheet/messaging';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { OWN_ACTORS } from '../src/actors/known.actor.js';

/**
 * How many messages there are, but for those with which schedules, pipelines and the audit log are kept, and those of readiness.
 *
 * @param others actors that send to themselves too
 */
export async function messagesInQueues(
  app: NestFastifyApplication,
  others: readonly string[] = [],
): Promise<number> {
  const own = [...OWN_ACTORS, ...SCHEDULER_ACTORS, ...SYNC_ACTORS, ...others];
  const actors = app.get(MessageRegistry).actors();
  const engine = app.get<Engine>(ENGINE);
  const counts = await Promise.all(
    actors.filter((actor) => !own.includes(actor)).map((actor) => engine.counts(actor)),
  );
  return counts.flatMap((count) => Object.values(count) as number[]).reduce((a, b) => a + b, 0);
}
