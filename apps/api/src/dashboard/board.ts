import {
  actorBindingOf,
  ENGINE,
  MessageRegistry,
  QUEUES,
  type Engine,
  type MessageClass,
  type Queues,
  type Subscription,
} from '@callsheet/messaging';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { OWN_ACTORS } from '../actors/known.actor.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import { ProblemError, sendProblem } from '../problem.js';
import { boardSecrets } from './board.secrets.js';
import { jobDataSchemaOf } from './job.data.schema.js';

/** A BullMQ queue, in the type of the copy of bullmq that the board sees. */
type Queue = ConstructorParameters<typeof BullMQAdapter>[0];
type JobUrl = NonNullable<
  NonNullable<ConstructorParameters<typeof BullMQAdapter>[1]>['externalJobUrl']
>;

const PATH = '/board';
const DEAD = /^(.+)\.dead$/;

/** Serves Bull Board with the queues of all actors; on a store without queues, a problem that says so. */
export async function mountBoard(app: NestFastifyApplication): Promise<void> {
  const queues = app.get<Queues>(QUEUES);
  const engine = app.get<Engine>(ENGINE);
  const registry = app.get(MessageRegistry);
  const server = new FastifyAdapter().setBasePath(PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      handlerHooks: boardSecrets(app.get(SendableMessages)),
      uiConfig: {
        boardTitle: 'Callsheet',
        hideDocsLink: true,
        miscLinks: [
          { text: 'Console', url: '/' },
          { text: 'Account', url: '/login' },
        ],
      },
    },
  });
  let shown = 0;
  await app.register(
    async (scope: FastifyInstance) => {
      scope.addHook('onRequest', async (_request, reply) => {
        const all = (queues.all() as readonly Queue[]).filter(
          (queue) => !OWN_ACTORS.includes(actorOf(queue)),
        );
        if (all.length === 0) return sendProblem(reply, nothingToShow());
        if (all.length === shown) return;
        // Actors become known while the application starts, after the board is mounted.
        const shownQueues = all.map(async (queue) =>
          toBoardQueue(queue, engine, await messagesIn(actorOf(queue), registry, engine)),
        );
        board.replaceQueues(await Promise.all(shownQueues));
        shown = all.length;
      });
      await scope.register(server.registerPlugin());
    },
    { prefix: PATH },
  );
}

/** The board warns of a queue without workers. Nothing ever consumes dead letters, and an embedded store cannot tell. */
class UnwatchedQueue extends BullMQAdapter {
  override getWorkers(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** @param messages what may be in it, for the board's forms */
function toBoardQueue(
  queue: Queue,
  { store }: Engine,
  messages: readonly MessageClass[],
): BullMQAdapter {
  const actor = actorOf(queue);
  const dead = queue.name !== actor;
  const description = dead
    ? `Dead letters of the actor ${actor}; retry puts them back into its queue`
    : `Messages of the actor ${actor}`;
  const Adapter = store.shared && !dead ? BullMQAdapter : UnwatchedQueue;
  const jobDataSchema = jobDataSchemaOf(messages);
  return new Adapter(queue, {
    description,
    externalJobUrl: toMessagePage,
    ...(jobDataSchema && { jobDataSchema }),
  });
}

/** The page of a job's message. Its id is among the options, if its sender chose it. */
function toMessagePage({ id, opts }: Parameters<JobUrl>[0]): ReturnType<JobUrl> {
  const { callsheet } = (opts ?? {}) as { callsheet?: { id?: string } };
  const message = callsheet?.id ?? String(id);
  return { displayText: 'Message', href: `/messages/${encodeURIComponent(message)}` };
}

function actorOf({ name }: Queue): string {
  return DEAD.exec(name)?.[1] ?? name;
}

/** Messages that an actor handles, and events of which it gets copies. */
async function messagesIn(
  actor: string,
  registry: MessageRegistry,
  engine: Engine,
): Promise<MessageClass[]> {
  const { subscriptions } = actorBindingOf(await engine.bound(`actor:${actor}`));
  const wanted = new Set((subscriptions as Subscription[] | undefined)?.map(({ type }) => type));
  return registry.all().filter(({ meta }) => meta.actor === actor || wanted.has(meta.type));
}

function nothingToShow(): ProblemError {
  return new ProblemError(
    'not_found',
    'the memory store has no queues to show; use another CALLSHEET_URL, or look at /v1/actors',
  );
}
