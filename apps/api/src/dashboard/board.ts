import {
  ENGINE,
  MessageRegistry,
  QUEUES,
  Routes,
  type ActorQueue,
  type Engine,
  type MessageClass,
  type Queues,
} from '@callsheet/messaging';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { OWN_ACTORS } from '../actors/known.actor.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import { ProblemError, sendProblem } from '../problem.js';
import { boardKeys } from './board.keys.js';
import { actorOf, boardName, DELIMITER, toGrouped } from './board.names.js';
import { boardSecrets } from './board.secrets.js';
import { jobDataSchemaOf } from './job.data.schema.js';

/** A BullMQ queue, in the type of the copy of bullmq that the board sees. */
type Queue = ConstructorParameters<typeof BullMQAdapter>[0] & ActorQueue;
type JobUrl = NonNullable<
  NonNullable<ConstructorParameters<typeof BullMQAdapter>[1]>['externalJobUrl']
>;

const PATH = '/board';

/** Serves Bull Board with the queues of all actors; on a store without queues, a problem that says so. */
export async function mountBoard(app: NestFastifyApplication): Promise<void> {
  const queues = app.get<Queues>(QUEUES);
  const engine = app.get<Engine>(ENGINE);
  const registry = app.get(MessageRegistry);
  const routes = app.get(Routes);
  const server = new FastifyAdapter().setBasePath(PATH);
  const all = (): readonly Queue[] =>
    (queues.all() as readonly Queue[]).filter((queue) => !OWN_ACTORS.includes(actorOf(queue)));
  const masks = boardSecrets(app.get(SendableMessages));
  const keys = boardKeys((name) => all().find((queue) => boardName(queue) === name));
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      // What is masked is known by the name of a job: keys are named afterwards, and beside it.
      handlerHooks: {
        ...masks,
        after: async (context, result) => keys(context, await masks.after(context, result)),
      },
      uiConfig: {
        boardTitle: 'Callsheet',
        overview: { groupByDelimiter: true },
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
      scope.addHook('onRequest', async (request, reply) => {
        const known = all();
        if (known.length === 0) return sendProblem(reply, nothingToShow());
        const grouped = toGrouped(request.url);
        if (grouped !== undefined) return reply.redirect(grouped);
        if (known.length === shown) return;
        // Actors become known while the application starts, after the board is mounted.
        const shownQueues = known.map(async (queue) =>
          toBoardQueue(queue, engine, await messagesIn(actorOf(queue), registry, routes)),
        );
        board.replaceQueues(await Promise.all(shownQueues));
        shown = known.length;
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
    prefix: actor + DELIMITER,
    delimiter: DELIMITER,
    displayName: queue.name,
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

/** Messages that an actor handles, and events of which it gets copies. */
async function messagesIn(
  actor: string,
  registry: MessageRegistry,
  routes: Routes,
): Promise<MessageClass[]> {
  const subscriber = await routes.subscriber(actor);
  const wanted = new Set(subscriber?.subscriptions.map(({ type }) => type));
  return registry.all().filter(({ meta }) => meta.actor === actor || wanted.has(meta.type));
}

function nothingToShow(): ProblemError {
  return new ProblemError(
    'not_found',
    'the memory store has no queues to show; use another CALLSHEET_URL, or look at /v1/actors',
  );
}
